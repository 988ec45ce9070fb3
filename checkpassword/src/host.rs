//! checkpassword: the host's accounts.

use crate::dovecot::Question;
use crate::handover::{self, Ids, User};
use crate::hash::Stored;
use crate::request::{Request, printable};
use crate::{MISUSED, REFUSED, age, check, lines};
use common::{Exit, Failure, Name};
use sys::account::{self, Account, Trouble};
use sys::fs::{Mode, OFlags, open};
use sys::{Args, Env};
use zeroize::Zeroizing;

const NAME: Name = Name("checkpassword");

/// checkpassword: reads a login name and password from descriptor 3 and, if they are right, runs
/// the program in its arguments as that account, in its home directory.
///
/// root is let in as anyone: what root may do is for the next program to say.
///
/// # Errors
/// Exit codes 1, 2 and 111: see the crate.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    if args.len() < 2 {
        return Err(Failure { code: MISUSED.0, ..NAME.usage("program [ arg ... ]") });
    }
    let question = Question::of(args.tail(1), env);
    let request = Request::receive(NAME)?;
    let account = account::by_name(request.login()).map_err(trouble)?;
    let account = match account {
        Some(account) if question.has_password() => match judge(&account, &request)? {
            Verdict::Right => account,
            Verdict::Wrong => return Ok(REFUSED),
            Verdict::Never => return refuse(&request),
        },
        // Nobody's secret is known here.
        Some(account) if question == Question::Account => account,
        None if question.has_password() => return refuse(&request),
        Some(_) | None => return Ok(question.no()),
    };
    drop(request);
    let groups = account::groups(&account.name, account.gid).map_err(trouble)?;
    let Account { name, uid, gid, home, shell, .. } = account;
    let user = User { name, ids: Some(Ids { uid, gid, groups }), home, shell };
    Err(handover::run(NAME, &user, b"", question, args.tail(1), env))
}

/// What becomes of a login.
enum Verdict {
    Right,
    Wrong,
    /// No password will do, so none was checked.
    Never,
}

/// Whether the password is right, and the account's time has not run out.
fn judge(account: &Account, request: &Request) -> Result<Verdict, Failure> {
    // A host without shadow passwords has the hash in passwd(5), where there are no ages either.
    if let Ok(Stored::Hash(_)) | Err(_) = Stored::parse(&account.password) {
        return is_right(&account.password, request);
    }
    let entry = account::shadow(&account.name).map_err(trouble)?;
    let Some(mut entry) = entry else {
        if account.password != b"x" {
            return Ok(Verdict::Never);
        }
        return Err(check::unable(NAME, request.login(), "no shadow entry"));
    };
    let field = Zeroizing::new(core::mem::take(&mut entry.hash));
    let verdict = is_right(&field, request)?;
    if !matches!(verdict, Verdict::Right) {
        return Ok(verdict);
    }
    // Only whoever knows the password gets here: the log may tell the administrator why.
    if let Err(lapse) = age::check(&entry, age::today()) {
        let who = printable(request.login());
        NAME.warn(&[b"refusing ", &who, b": ", lapse.reason().as_bytes()]);
        return Ok(Verdict::Wrong);
    }
    Ok(Verdict::Right)
}

/// Whether the password leads to the hash in `field`.
fn is_right(field: &[u8], request: &Request) -> Result<Verdict, Failure> {
    let hash = match Stored::parse(field) {
        Ok(Stored::Hash(hash)) => hash,
        Ok(Stored::Empty | Stored::Locked) => return Ok(Verdict::Never),
        Err(unusable) => return Err(check::unable(NAME, request.login(), &unusable.reason())),
    };
    let right = check::matches(NAME, request.login(), &hash, request.password())?;
    Ok(if right { Verdict::Right } else { Verdict::Wrong })
}

/// A login that no password makes acceptable, refused in the time that a password takes.
fn refuse(request: &Request) -> Result<Exit, Failure> {
    let like = usual_hash().map(Zeroizing::new);
    let like = like.as_ref().map(|hash| hash.as_slice());
    check::pretend(NAME, request.login(), like, request.password())?;
    Ok(REFUSED)
}

/// The first hash in `/etc/shadow` that can be used: what most others look like, too.
fn usual_hash() -> Option<Vec<u8>> {
    let file = open(c"/etc/shadow", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let usable = |line: lines::Line<'_>| {
        let field = line.text.split(|byte| *byte == b':').nth(1)?;
        matches!(Stored::parse(field), Ok(Stored::Hash(_))).then(|| field.to_vec())
    };
    lines::find(&file, usable).ok()?
}

fn trouble(trouble: Trouble) -> Failure {
    let parts: [&[u8]; 2] = [b"unable to ", trouble.action.as_bytes()];
    NAME.fatal_errno(Exit::TEMPORARY.0, &parts, trouble.errno)
}
