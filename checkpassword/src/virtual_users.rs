//! vchkpw: the users that the file `$VPASSWD` names.

use crate::handover::{self, Ids, User};
use crate::hash::Stored;
use crate::request::Request;
use crate::users::{Entry, Trouble, Users};
use crate::{MISUSED, REFUSED, check};
use common::{Exit, Failure, Name};
use std::ffi::CString;
use sys::process::geteuid;
use sys::{Args, Env, Errno};

const NAME: Name = Name("vchkpw");

/// `SHELL` of a user who has none.
const SHELL: &[u8] = b"/bin/sh";

/// vchkpw: as checkpassword, but the users stand in the file that `VPASSWD` names. Run by root,
/// it takes on the uid and gid that stand there; run by anyone else, it stays who it is.
///
/// # Errors
/// Exit codes 1, 2 and 111: see the crate.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    if args.len() < 2 {
        return Err(Failure { code: MISUSED.0, ..NAME.usage("program [ arg ... ]") });
    }
    let request = Request::receive(NAME)?;
    let path = env.get(b"VPASSWD").filter(|path| !path.is_empty()).ok_or_else(|| {
        NAME.fatal(Exit::TEMPORARY.0, &[b"unable to find the users: VPASSWD is not set"])
    })?;
    let open = || {
        let path = CString::new(path).map_err(|_| Trouble::Unreadable(Errno::NOENT))?;
        Users::open(&path)
    };
    let trouble = |trouble| told(path, trouble);
    let root = geteuid().is_root();
    let entry = open().map_err(trouble)?.find(request.login(), root).map_err(trouble)?;
    let hash = match entry.as_ref().map(|entry| Stored::parse(&entry.hash)) {
        Some(Ok(Stored::Hash(hash))) => Some(hash),
        Some(Err(unusable)) => {
            return Err(check::unable(NAME, request.login(), &unusable.reason()));
        }
        Some(Ok(Stored::Empty | Stored::Locked)) | None => None,
    };
    let (Some(entry), Some(hash)) = (&entry, hash) else {
        let usable = |field: &[u8]| matches!(Stored::parse(field), Ok(Stored::Hash(_)));
        let like = open().map_err(trouble)?.hash(usable);
        let like = like.as_ref().map(|hash| hash.as_slice());
        check::pretend(NAME, request.login(), like, request.password())?;
        return Ok(REFUSED);
    };
    if !check::matches(NAME, request.login(), &hash, request.password())? {
        return Ok(REFUSED);
    }
    let Entry { ids, home, .. } = entry;
    let ids = ids.map(|(uid, gid)| Ids { uid, gid, groups: vec![gid] });
    let name = request.login().to_vec();
    let user = User { name, ids, home: home.clone(), shell: SHELL.to_vec() };
    drop(request);
    Err(handover::run(NAME, &user, args.tail(1), env))
}

/// What is wrong with the file of users, with its name.
fn told(path: &[u8], trouble: Trouble) -> Failure {
    let code = Exit::TEMPORARY.0;
    match trouble {
        Trouble::Unreadable(errno) => NAME.fatal_errno(code, &[b"unable to read ", path], errno),
        Trouble::Untrusted(why) => {
            NAME.fatal(code, &[b"unable to trust ", path, b": ", why.as_bytes()])
        }
        Trouble::Line(number, why) => {
            let number = common::decimal(number);
            let parts: [&[u8]; 6] =
                [b"unable to use ", path, b" line ", number.as_bytes(), b": ", why.as_bytes()];
            NAME.fatal(code, &parts)
        }
    }
}
