//! bench-checker: a checkpassword that costs nothing. Whoever it is, it goes to `$BENCH_HOME` and runs the program; as root,
//! under the uid and gid `$BENCH_UID`, since no mailbox is served to root.
#![no_std]
#![no_main]

use common::{Exit, Failure, Name, number};
use sys::exec::Program;
use sys::process::{Gid, Uid};

const NAME: Name = Name("bench-checker");

common::program!(run);

fn run(args: sys::Args, env: sys::Env) -> Result<Exit, Failure> {
    let failed = |what: &[u8], errno| NAME.fatal_errno(111, &[what], errno);
    let mut login = [0; 513];
    let asked = sys::borrow(3).ok_or_else(|| NAME.fatal(2, &[b"no descriptor 3"]))?;
    while sys::read(asked, &mut login).map_err(|errno| failed(b"unable to read", errno))? > 0 {}
    let home = env.get(b"BENCH_HOME").unwrap_or(b"/");
    sys::process::chdir(home).map_err(|errno| failed(b"unable to chdir", errno))?;
    if sys::process::geteuid().is_root() {
        let id = env.get(b"BENCH_UID").and_then(number::whole).and_then(|id| id.try_into().ok());
        let id: u32 = id.ok_or_else(|| NAME.fatal(111, &[b"no BENCH_UID"]))?;
        sys::thread::set_thread_groups(&[Gid::from_raw(id)])
            .and_then(|()| sys::thread::set_thread_gid(Gid::from_raw(id)))
            .and_then(|()| sys::thread::set_thread_uid(Uid::from_raw(id)))
            .map_err(|errno| failed(b"unable to change ids", errno))?;
    }
    let rest = args.tail(1);
    let name = rest.get(0).ok_or_else(|| NAME.usage("program"))?;
    let errno = Program::find(name, env.get(b"PATH")).exec(&rest.vector(), &env.vector());
    Err(failed(b"unable to run", errno))
}
