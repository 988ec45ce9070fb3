//! checkpassword-pam: checkpassword, with PAM to say whether a password is right and an account may be used.
//!
//! A program of its own, since PAM's modules are loaded into the process that asks: checkpassword itself stays small,
//! static, and free of them. It is the only one that isn't static, as it couldn't load them then.
//!
//! Exit codes are checkpassword's (crate `checkpassword`): 1 refused, 2 misused, 111 temporary trouble. What is asked of PAM,
//! in this order:
//!
//! 1. authentication, the password answering each question that isn't echoed, without empty passwords;
//! 2. account management: expiry, access rules, nologin. A password that must be changed first is a refusal: nobody can
//!    change it here;
//! 3. credentials, once the account's groups are set, so that modules can add groups (`pam_group`) and tickets.
//!
//! No PAM session is opened: this process becomes the program, so nobody would be left to close it.

mod verdict;

use checkpassword::MISUSED;
use checkpassword::dovecot::Question;
use checkpassword::handover::{self, Ids, User};
use checkpassword::memory::Room;
use checkpassword::request::{Request, printable};
use common::getopt::{Getopt, Opt};
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use pam::{Step, Transaction};
use std::ffi::CString;
use sys::account::{self, Account};
use sys::process::{Gid, getgroups};
use sys::thread::set_thread_groups;
use sys::{Args, Env};
use verdict::{Verdict, action};

const NAME: Name = Name("checkpassword-pam");

/// The file in `/etc/pam.d` that says what is asked, if neither `-s` nor `$PAM_SERVICE` names one; libpam takes `other`
/// where it is missing.
const SERVICE: &CStr = c"checkpassword-pam";

/// `checkpassword-pam [ -s service ] program [ arg ... ]`: reads a login name and password from descriptor 3 and, if PAM
/// accepts them, runs the program as that account, in its home directory.
///
/// # Errors
/// Exit codes 1, 2 and 111: see the crate `checkpassword`.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let usage = || Failure { code: MISUSED.0, ..NAME.usage("[ -s service ] program [ arg ... ]") };
    let mut options = Getopt::new(args, b"s:");
    let mut service = variable(env, b"PAM_SERVICE");
    for option in options.by_ref() {
        match option.map_err(|illegal| illegal.with_usage(usage()))? {
            Opt::Value(b's', name) => service = Some(name.to_owned()),
            Opt::Flag(_) | Opt::Value(..) => return Err(usage()),
        }
    }
    let command = options.rest();
    if command.is_empty() {
        return Err(usage());
    }
    let service = service.unwrap_or_else(|| SERVICE.to_owned());
    // A service's name is that of a file, which must not be elsewhere.
    if service.is_empty() || service.to_bytes().contains(&b'/') {
        return Err(usage());
    }
    let question = Question::of(command, env);
    let request = Request::receive(NAME)?;
    let login = request.login().to_vec();
    let limits =
        |errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to set memory limits"], errno);
    // For the modules and what they load, and for hashes: the program gets its limits back.
    let room = Room::make().map_err(limits)?;
    let user = match question {
        Question::Session | Question::Password => let_in(&service, request, env)?,
        Question::Account => look_up(&login)?,
        Question::Secret => None,
    };
    room.give_back().map_err(limits)?;
    match user {
        Some(user) => Err(handover::run(NAME, &user, b"", question, command, env)),
        None => Ok(question.no()),
    }
}

/// Asks PAM, and gives the user whom it lets in.
fn let_in(service: &CStr, request: Request, env: Env) -> Result<Option<User>, Failure> {
    let who = printable(request.login());
    let Ok(login) = CString::new(request.login()) else { return Ok(None) };
    if request.login().is_empty() || request.password().is_empty() {
        return Ok(None);
    }
    let fails = |what: &[u8], reason: &[u8]| {
        NAME.fatal(Exit::TEMPORARY.0, &[b"unable to ", what, b": ", reason])
    };
    let mut pam = Transaction::start(service, &login, request.password())
        .map_err(|reason| fails(b"start PAM", &reason))?;
    if let Some(address) = variable(env, b"TCPREMOTEIP") {
        pam.set_remote_host(&address)
            .map_err(|code| fails(b"tell PAM the client's address", &pam.reason(code)))?;
    }
    let judged = |pam: &Transaction<'_>, step: Step, code| match Verdict::of(step, code) {
        Verdict::Yes => Ok(true),
        Verdict::No => {
            if step == Step::Account {
                // Only whoever knows the password gets here: the log may tell the administrator why.
                NAME.warn(&[b"refusing ", &who, b": ", &pam.reason(code)]);
            }
            Ok(false)
        }
        Verdict::Trouble => {
            Err(fails(&[action(step).as_bytes(), b" ", &who].concat(), &pam.reason(code)))
        }
    };
    for step in [Step::Password, Step::Account] {
        let code = pam.ask(step);
        pam.messages(|text| NAME.warn(&[&who, b": ", &printable_text(text)]));
        if !judged(&pam, step, code)? {
            pam.end(code);
            return Ok(None);
        }
    }
    // A module may have made another name of it.
    let name = pam.user().unwrap_or(login);
    let Some(mut user) = look_up(name.to_bytes())? else {
        return Err(fails(
            &[b"find the account of ", &who[..]].concat(),
            b"PAM lets in whom this host doesn't know",
        ));
    };
    if let Some(ids) = &mut user.ids
        && sys::process::geteuid().is_root()
    {
        let groups: Vec<Gid> = ids.groups.iter().copied().map(Gid::from_raw).collect();
        let grouped = set_thread_groups(&groups);
        grouped.map_err(|errno| {
            NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to set supplementary groups"], errno)
        })?;
        let code = pam.ask(Step::Credentials);
        if !judged(&pam, Step::Credentials, code)? {
            pam.end(code);
            return Ok(None);
        }
        let now = getgroups().map_err(|errno| {
            NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to read supplementary groups"], errno)
        })?;
        ids.groups = now.into_iter().map(Gid::as_raw).collect();
    }
    pam.end(0);
    drop(request);
    Ok(Some(user))
}

fn look_up(name: &[u8]) -> Result<Option<User>, Failure> {
    let trouble = |trouble: account::Trouble| {
        let parts: [&[u8]; 2] = [b"unable to ", trouble.action.as_bytes()];
        NAME.fatal_errno(Exit::TEMPORARY.0, &parts, trouble.errno)
    };
    let Some(account) = account::by_name(name).map_err(trouble)? else { return Ok(None) };
    let groups = account::groups(&account.name, account.gid).map_err(trouble)?;
    let Account { name, uid, gid, home, shell, .. } = account;
    Ok(Some(User { name, ids: Some(Ids { uid, gid, groups }), home, shell }))
}

fn variable(env: Env, name: &[u8]) -> Option<CString> {
    env.get(name).filter(|value| !value.is_empty()).and_then(|value| CString::new(value).ok())
}

/// What a module says, fit for a log.
fn printable_text(text: &[u8]) -> Vec<u8> {
    let visible = |byte: &u8| if matches!(byte, b' '..=b'~') { *byte } else { b'?' };
    text.iter().take(200).map(visible).collect()
}
