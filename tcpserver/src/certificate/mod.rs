//! tcpserver-cert: a private key with a self-signed certificate, or with a request for one.
//!
//! The usual order of things: [`options`] says what is wanted, [`questions`] asks for the rest at
//! a terminal, [`subject`] is who the certificate is for, [`key`] makes or reads the key,
//! [`document`] signs, [`output`] writes files that are never half there and never open to others.

mod document;
mod key;
mod options;
mod output;
mod questions;
mod subject;

use common::{Exit, Failure, Name};
use key::Key;
use options::{Options, Wanted};
use output::Output;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use subject::Subject;
use sys::args::{Args, Env};
use zeroize::Zeroizing;

const NAME: Name = Name("tcpserver-cert");

/// The program. Exit codes: 0; 100 wrong usage, or the file exists and `--force` isn't given; 111
/// the system refuses something.
///
/// # Errors
/// What it says before it ends with one of the last two.
pub fn run(args: Args, _env: Env) -> Result<Exit, Failure> {
    let options = Options::parse(args.iter().skip(1))?;
    let outputs = Outputs::reserve(&options)?;
    let mut days = options.days;
    let subject = if !options.subject.hosts.is_empty() {
        options.subject.clone()
    } else if io::stdin().is_terminal() {
        let asked = options.wanted == Wanted::Certificate;
        let answers = questions::ask(&mut io::stdin().lock(), &mut io::stdout(), &options, asked)
            .map_err(|error| trouble("read answer", &error))?
            .ok_or_else(|| NAME.fatal(100, &[b"no answer: nothing was written"]))?;
        days = answers.days;
        answers.subject
    } else {
        let text: &[u8] = b"no --host given, and nobody to ask: standard input is no terminal";
        return Err(NAME.fatal(100, &[text]));
    };
    let key = Key::obtain(&options.key)?;
    let said = match options.wanted {
        Wanted::Certificate => outputs.certificate(&key, &subject, days)?,
        Wanted::Request => outputs.request(&key, &subject)?,
    };
    // Everything is done by now, whether or not somebody reads about it.
    let _ = io::stdout().write_all(said.as_bytes());
    Ok(Exit::OK)
}

/// Where the results go.
struct Outputs {
    /// The key, and the certificate if one is made; `None` where the key's own file stays as it is.
    file: Option<Output>,
    request: Option<Output>,
}

impl Outputs {
    /// Makes sure, before anybody is asked anything, that nothing is in the way.
    fn reserve(options: &Options) -> Result<Self, Failure> {
        let file = || Output::reserve(options.file.clone(), options.force);
        match (options.wanted, &options.key) {
            (Wanted::Certificate, _) => Ok(Self { file: Some(file()?), request: None }),
            (Wanted::Request, key) => {
                let name = request_name(&options.file);
                let kept = matches!(key, key::Source::File(_));
                let file = if kept { None } else { Some(file()?) };
                Ok(Self { file, request: Some(Output::reserve(name, options.force)?) })
            }
        }
    }

    fn certificate(&self, key: &Key, subject: &Subject, days: u32) -> Result<String, Failure> {
        let certificate = document::self_signed(key, subject, days)?;
        let mut text = Zeroizing::new(Vec::with_capacity(key.pem().len() + certificate.len()));
        text.extend_from_slice(key.pem());
        text.extend_from_slice(certificate.as_bytes());
        let mut said = String::new();
        if let Some(file) = &self.file {
            file.write(&text, output::SECRET)?;
            said = format!(
                "{}: private key and self-signed certificate for {}, good for {days} days\n",
                file.path().display(),
                subject.hosts_line(),
            );
        }
        Ok(said)
    }

    fn request(&self, key: &Key, subject: &Subject) -> Result<String, Failure> {
        let request = document::request(key, subject)?;
        let mut said = String::new();
        // The key first: a request without one is worth nothing.
        if let Some(file) = &self.file {
            file.write(key.pem(), output::SECRET)?;
            said.push_str(&format!(
                "{}: private key; append to it the certificate that you get\n",
                file.path().display()
            ));
        }
        if let Some(file) = &self.request {
            file.write(request.as_bytes(), output::PUBLIC)?;
            said.push_str(&format!(
                "{}: certificate request for {}, to be signed by an authority\n",
                file.path().display(),
                subject.hosts_line(),
            ));
        }
        Ok(said)
    }
}

/// `cert.pem` is requested by `cert-req.pem`.
fn request_name(file: &std::path::Path) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push("-req.pem");
    file.with_file_name(name)
}

fn trouble(verb: &str, error: &io::Error) -> Failure {
    let errno = sys::Errno::from_raw_os_error(error.raw_os_error().unwrap_or(5));
    NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to ", verb.as_bytes()], errno)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn names_of_requests() {
        assert_eq!(request_name(Path::new("cert.pem")), Path::new("cert-req.pem"));
        assert_eq!(request_name(Path::new("/a/b.c.pem")), Path::new("/a/b.c-req.pem"));
        assert_eq!(request_name(Path::new("d/cert")), Path::new("d/cert-req.pem"));
    }
}
