//! bench-nothing: the cheapest program there is.
#![no_std]
#![no_main]

common::program!(run);

fn run(_: sys::Args, _: sys::Env) -> Result<common::Exit, common::Failure> {
    Ok(common::Exit::OK)
}
