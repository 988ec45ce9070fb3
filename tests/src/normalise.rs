//! Taking out of a text what differs from run to run.

/// `text` with each `pid 123` as `pid PID`.
pub fn pids(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("pid ") {
        let (head, tail) = rest.split_at(at + "pid ".len());
        let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
        result.push_str(head);
        if digits > 0 {
            result.push_str("PID");
        }
        rest = &tail[digits..];
    }
    result + rest
}

/// `text` with each whole number `value` (a port, a pid) as `name`.
pub fn number(text: &str, value: u64, name: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[at..].bytes().take_while(u8::is_ascii_digit).count();
        let found = &rest[at..at + digits];
        result.push_str(&rest[..at]);
        result.push_str(if found.parse() == Ok(value) { name } else { found });
        rest = &rest[at + digits..];
    }
    result + rest
}

/// `bytes` for people: what is no UTF-8 is replaced.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pids_of_a_status_line() {
        assert_eq!(pids("x: up (pid 17) 3 seconds"), "x: up (pid PID) 3 seconds");
        assert_eq!(pids("pid x, pid 9"), "pid x, pid PID");
    }

    #[test]
    fn only_whole_numbers() {
        assert_eq!(number("110 1100 0.110:110", 110, "PORT"), "PORT 1100 0.PORT:PORT");
    }
}
