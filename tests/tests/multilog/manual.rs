//! The examples of the manual page, as they stand there.

use std::fs;

use crate::{SOON, logged};
use std::time::UNIX_EPOCH;
use tests::{Run, Scratch, path, record_skip, text, workspace};

/// What is somewhere else in a test, or would never end. All else is run as it stands.
const ELSEWHERE: [(&str, &str); 4] = [
    ("setuidgid log ", ""),
    ("/service/dns/log/", "./"),
    ("tail -F ", "tail -n +1 "),
    ("svlog -f /service/dns", "svlog ./main"),
];

/// Programs of others that examples run.
const OTHERS: [&str; 3] = ["gzip", "zcat", "zstdcat"];

/// What the examples look for.
const INPUT: &str = "tcpserver: status: 1/40\nmail: warning: slow\nmail: fatal: too slow\n";

/// The literal blocks of a page's examples, as a reader sees them.
fn examples(page: &str) -> Vec<String> {
    let begin = page.find("\n.Sh EXAMPLES\n").expect("examples");
    let section = &page[begin + 1..];
    let section = section.split("\n.Sh ").next().expect("a section");
    let blocks = section.split("\n.Bd -literal").skip(1);
    let blocks = blocks.map(|block| {
        let (_, block) = block.split_once('\n').expect("a block");
        let (block, _) = block.split_once("\n.Ed").expect("its end");
        block.replace("\\e", "\\").replace("\\&", "").replace("\\-", "-")
    });
    blocks.collect()
}

/// Files that were finished an hour ago, one in each form.
fn some_finished_files(scratch: &Scratch) {
    let hour_ago = UNIX_EPOCH.elapsed().expect("after 1970").as_secs() - 3600;
    for (number, ending) in ["s", "s.gz", "s.zst"].into_iter().enumerate() {
        let label = (1_u64 << 62) + 10 + hour_ago;
        let path = scratch.file(&format!("main/@{label:016x}{number:08x}.s"), "of before\n");
        let compress = match ending {
            "s.gz" => "gzip",
            "s.zst" => "zstd -q --rm",
            _ => continue,
        };
        // Without the tool, it is another one as it is.
        Run::sh(&format!("{compress} {}", path.display())).output();
    }
}

/// One after the other in the same place, since some read what those before them have logged.
#[test]
fn each_example_runs() {
    let page = fs::read_to_string(workspace().join("man/multilog.8")).expect("the page");
    let examples = examples(&page);
    assert!(examples.len() >= 5, "{examples:?}");
    let scratch = Scratch::new("multilog-manual");
    some_finished_files(&scratch);
    for example in examples {
        let is_there = |name: &&&str| Run::sh(&format!("command -v {name}")).output().code == 0;
        let needed = OTHERS.iter().filter(|name| example.contains(**name));
        if let Some(name) = needed.clone().find(|name| !is_there(name)) {
            record_skip(&format!("an example of multilog(8) runs {name}, which isn't here"));
            continue;
        }
        let script =
            ELSEWHERE.iter().fold(example.clone(), |text, (is, as_if)| text.replace(is, as_if));
        let run = Run::sh(&script).cwd(scratch.path()).env("PATH", path()).stdin(INPUT);
        let outcome = run.deadline(SOON).output();
        assert_eq!(outcome.code, 0, "{example}\n{}", outcome.err());
        // But for lines that it was told to print, it has nothing to say.
        let said = outcome.err();
        assert!(said.lines().all(|line| line.starts_with("@4")), "{example}\n{said}");
        let last = |text: &str| text.lines().last().map(str::to_owned).unwrap_or_default();
        let logs = text(&logged(&scratch.join("main")));
        assert!(last(&logs).ends_with("fatal: too slow"), "{example}\n{logs}");
    }
    let status = fs::read(scratch.join("status")).expect("a status file");
    assert!(text(&status).contains("status: 1/40\n"));
    assert_eq!(text(&logged(&scratch.join("trouble"))).lines().count(), 2);
}
