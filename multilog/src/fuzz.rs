//! What the fuzzer runs here: see fuzz/.

mod files;
mod forwarding;
mod lines;
mod svlog;
mod times;

#[path = "../../fuzz/pieces.rs"]
mod pieces;
#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

pub use files::{compressed, finished, journal_record};
pub use forwarding::forwarding;
pub use lines::{log_lines, pattern, script};
pub use svlog::{svlog_content, svlog_lines, svlog_time};
pub use times::{local_times, stamps, times, zone};

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("pattern", super::pattern);
        replay("script", super::script);
        replay("log-lines", super::log_lines);
        replay("local-times", super::local_times);
        replay("times", super::times);
        replay("zone", super::zone);
        replay("finished", super::finished);
        replay("compressed", super::compressed);
        replay("journal-record", super::journal_record);
        replay("svlog-time", super::svlog_time);
        replay("svlog-lines", super::svlog_lines);
        replay("svlog-content", super::svlog_content);
        replay("stamps", super::stamps);
        replay("forwarding", super::forwarding);
    }
}
