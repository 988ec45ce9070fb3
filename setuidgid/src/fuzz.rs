//! What the fuzzer runs here: see fuzz/.

use crate::envdir::variable::Variables;
use crate::envini::environment;
use sys::Env;

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

thread_local! {
    static ENV: Env = Env::new(vec![c"PATH=/bin".into(), c"odd".into(), c"A=1".into()]);
}

/// envini's file, and envdir's files with their first lines: each variable has a name, and no variable is broken in two.
pub fn variables(text: &[u8]) {
    let env = ENV.with(|env| *env);
    let lines = text.split(|byte| *byte == b'\n').count();
    let changed = environment(env, b"P_", text);
    let entries: Vec<_> = changed.iter().map(core::ffi::CStr::to_bytes).collect();
    assert!(entries.starts_with(&[b"PATH=/bin", b"odd", b"A=1"]) && entries.len() <= 3 + lines);
    let mut names = Vec::new();
    for entry in &entries[3..] {
        let equals = entry.iter().position(|byte| *byte == b'=').expect("a variable");
        let name = &entry[..equals];
        assert!(name.starts_with(b"P_") && !names.contains(&name), "{}", name.escape_ascii());
        names.push(name);
    }

    let mut variables = Variables::new(env, c"");
    let mut files = text.split(|byte| *byte == b'\n');
    while let (Some(name), line) = (files.next(), files.next()) {
        // As a directory can have them.
        if name.is_empty() || name.contains(&0) || name.contains(&b'/') {
            continue;
        }
        match line {
            Some(line) => variables.set(name, line),
            None => variables.unset(name),
        }
        let _ = variables.vector();
    }
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("variables", super::variables);
    }
}
