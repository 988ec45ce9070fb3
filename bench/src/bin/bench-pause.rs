//! bench-pause: the cheapest service there is. It sleeps until it is killed.
#![no_std]
#![no_main]

common::program!(run);

fn run(_: sys::Args, _: sys::Env) -> Result<common::Exit, common::Failure> {
    loop {
        let _ = sys::poll::poll(&mut [], None, None);
    }
}
