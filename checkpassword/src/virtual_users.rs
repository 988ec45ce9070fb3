//! vchkpw: the users that the file `$VPASSWD` names; without that variable, vpopmail's.

use crate::dovecot::Question;
use crate::handover::{self, Ids, User};
use crate::hash::Stored;
use crate::request::{Request, printable};
use crate::users::line::Fields;
use crate::users::{Entry, Trouble, Trust, Users};
use crate::vpopmail::{self, Vpopmail, Wrong};
use crate::{MISUSED, REFUSED, check, digest};
use common::{Exit, Failure, Name};
use std::ffi::CString;
use sys::process::geteuid;
use sys::{Args, Env, Errno, account};
use zeroize::Zeroizing;

const NAME: Name = Name("vchkpw");

/// `SHELL` of a user who has none.
const SHELL: &[u8] = b"/bin/sh";

/// What the file of `$VPASSWD` must be.
const OURS: Trust = Trust { owner: None, readable: false };

/// vchkpw: as checkpassword, but the users stand in the file that `VPASSWD` names, or in vpopmail's. Run by root,
/// it takes on the uid and gid that stand there; run by anyone else, it stays who it is.
///
/// # Errors
/// Exit codes 1, 2 and 111: see the crate.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    if args.len() < 2 {
        return Err(Failure { code: MISUSED.0, ..NAME.usage("program [ arg ... ]") });
    }
    let question = Question::of(args.tail(1), env);
    let request = Request::receive(NAME)?;
    let source = Source::find(env)?;
    let service = question.service(env);
    let found = source.user(&request, question, service)?;
    let verdict = match &found {
        Some(found) if question.has_password() => found.check(&request)?,
        Some(found) if question == Question::Secret && found.secret.is_empty() => {
            return Ok(question.no());
        }
        Some(_) => Verdict::Right,
        None if question.has_password() => Verdict::Never,
        None => return Ok(question.no()),
    };
    let found = match (found, verdict) {
        (Some(found), Verdict::Right) => found,
        (_, Verdict::Wrong) => return Ok(REFUSED),
        (_, Verdict::Never | Verdict::Right) => {
            let like = source.usual_hash();
            let like = like.as_ref().map(|hash| hash.as_slice());
            check::pretend(NAME, request.login(), like, request.password())?;
            return Ok(REFUSED);
        }
    };
    if found.is_barred && question != Question::Account {
        // Only whoever knows the password gets here, or Dovecot.
        let who = printable(request.login());
        NAME.warn(&[b"refusing ", &who, b": not allowed to use ", service]);
        return Ok(question.no());
    }
    drop(request);
    let Virtual { name, ids, home, secret, .. } = found;
    let ids = ids.map(|(uid, gid)| Ids { uid, gid, groups: vec![gid] });
    let user = User { name, ids, home, shell: SHELL.to_vec() };
    Err(handover::run(NAME, &user, &secret, question, args.tail(1), env))
}

/// A user who stands there.
struct Virtual {
    name: Vec<u8>,
    hash: Zeroizing<Vec<u8>>,
    /// In clear; empty if it isn't kept.
    secret: Zeroizing<Vec<u8>>,
    ids: Option<(u32, u32)>,
    home: Vec<u8>,
    /// Whether a flag closes the service to the user.
    is_barred: bool,
}

/// What becomes of a login.
enum Verdict {
    Right,
    Wrong,
    /// No password will do, so none was checked.
    Never,
}

impl Virtual {
    /// A digest that is wrong is checked as a password, too: so it takes as long as any other, and as long as for a user
    /// who isn't there.
    fn check(&self, request: &Request) -> Result<Verdict, Failure> {
        let hash = match Stored::parse(&self.hash) {
            Ok(Stored::Hash(hash)) => hash,
            Ok(Stored::Empty | Stored::Locked) => return Ok(Verdict::Never),
            Err(unusable) => return Err(check::unable(NAME, request.login(), &unusable.reason())),
        };
        let right = digest::proves(&self.secret, request.timestamp(), request.password())
            || check::matches(NAME, request.login(), &hash, request.password())?;
        Ok(if right { Verdict::Right } else { Verdict::Wrong })
    }
}

/// Where the users stand.
enum Source<'a> {
    File(&'a [u8]),
    Vpopmail(Vpopmail),
}

impl<'a> Source<'a> {
    fn find(env: Env) -> Result<Source<'static>, Failure> {
        if let Some(path) = env.get(b"VPASSWD").filter(|path| !path.is_empty()) {
            return Ok(Source::File(path));
        }
        let found = Vpopmail::find(env).map_err(|account::Trouble { action, errno }| {
            NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to ", action.as_bytes()], errno)
        })?;
        found.map(Source::Vpopmail).ok_or_else(|| {
            let text: &[u8] =
                b"unable to find the users: VPASSWD is not set, and there is no account vpopmail";
            NAME.fatal(Exit::TEMPORARY.0, &[text])
        })
    }

    fn user(
        &self,
        request: &Request,
        question: Question,
        service: &[u8],
    ) -> Result<Option<Virtual>, Failure> {
        let is_root = geteuid().is_root();
        match self {
            Self::File(path) => {
                let users = open(path).map_err(|trouble| told(path, trouble))?;
                let entry = users.find(request.login()).map_err(|trouble| told(path, trouble))?;
                let Some(Entry { number, rest }) = entry else { return Ok(None) };
                let wrong = |why| told(path, Trouble::Line(number, why));
                let fields = Fields::parse(&rest).map_err(wrong)?;
                // Whoever can't take on ids may leave them out, and Dovecot takes them from wherever it likes.
                let for_dovecot = question != Question::Session
                    && !(fields.uid.is_empty() && fields.gid.is_empty());
                let wanted = if question == Question::Session { is_root } else { for_dovecot };
                let ids = wanted.then(|| fields.ids()).transpose().map_err(wrong)?;
                Ok(Some(Virtual::new(request.login().to_vec(), &fields, ids, false)))
            }
            Self::Vpopmail(vpopmail) => {
                let wrong = |Wrong(path, trouble)| told(&path, trouble);
                let Some(found) = vpopmail.user(request.login()).map_err(wrong)? else {
                    return Ok(None);
                };
                let why = |why| told(&found.path, Trouble::Line(found.entry.number, why));
                let fields = Fields::parse(&found.entry.rest).map_err(why)?;
                let wanted = is_root || question != Question::Session;
                if wanted && found.ids.0 == 0 {
                    return Err(why("uid 0 may not log in"));
                }
                let is_barred = !vpopmail::may_use(fields.gid, service);
                Ok(Some(Virtual::new(found.name, &fields, wanted.then_some(found.ids), is_barred)))
            }
        }
    }

    /// A hash of the kind that most users have here.
    fn usual_hash(&self) -> Option<Zeroizing<Vec<u8>>> {
        let users = match self {
            Self::File(path) => open(path).ok()?,
            Self::Vpopmail(vpopmail) => vpopmail.sample()?,
        };
        users.hash(|field| matches!(Stored::parse(field), Ok(Stored::Hash(_))))
    }
}

impl Virtual {
    fn new(name: Vec<u8>, fields: &Fields<'_>, ids: Option<(u32, u32)>, is_barred: bool) -> Self {
        let kept = |field: &[u8]| Zeroizing::new(field.to_vec());
        let (hash, secret) = (kept(fields.hash), kept(fields.secret));
        Self { name, hash, secret, ids, home: fields.home.to_vec(), is_barred }
    }
}

fn open(path: &[u8]) -> Result<Users, Trouble> {
    let path = CString::new(path).map_err(|_| Trouble::Unreadable(Errno::NOENT))?;
    Users::open(&path, OURS)
}

/// What is wrong with the file of users, with its name.
fn told(path: &[u8], trouble: Trouble) -> Failure {
    let code = Exit::TEMPORARY.0;
    match trouble {
        Trouble::Unreadable(errno) => NAME.fatal_errno(code, &[b"unable to read ", path], errno),
        Trouble::Untrusted(why) => {
            NAME.fatal(code, &[b"unable to trust ", path, b": ", why.as_bytes()])
        }
        Trouble::Line(Some(number), why) => {
            let number = common::decimal(number);
            let parts: [&[u8]; 6] =
                [b"unable to use ", path, b" line ", number.as_bytes(), b": ", why.as_bytes()];
            NAME.fatal(code, &parts)
        }
        Trouble::Line(None, why) => {
            NAME.fatal(code, &[b"unable to use a record of ", path, b": ", why.as_bytes()])
        }
    }
}
