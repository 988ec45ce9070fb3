//! What tcpclient runs for us: it sends the connection, and stays for as long as that is in use.

use super::NAME;
use common::{Exit, Failure};
use sys::Errno;

/// Hands descriptors 6 and 7 over by standard input, and waits for the end of that.
///
/// # Errors
/// This isn't what splogger runs: 100.
pub(super) fn run() -> Result<Exit, Failure> {
    let trouble =
        |errno| NAME.fatal_errno(Exit::USAGE.0, &[b"unable to hand over the connection"], errno);
    let (Some(asked), Some(input), Some(output)) = (sys::borrow(0), sys::borrow(6), sys::borrow(7))
    else {
        return Err(trouble(Errno::BADF));
    };
    sys::rights::send(asked, b"c", &[input, output]).map_err(trouble)?;
    // Our copies would keep the connection open.
    drop((sys::adopt(6), sys::adopt(7)));
    let mut byte = [0; 1];
    loop {
        let mut fds = [sys::poll::PollFd::from_borrowed_fd(asked, sys::poll::PollFlags::IN)];
        let _ = sys::poll::poll(&mut fds, None, None);
        match sys::read(asked, &mut byte) {
            Ok(1..) | Err(Errno::AGAIN) => {}
            Ok(_) | Err(_) => return Ok(Exit::OK),
        }
    }
}
