//! The house: what `make` leaves behind, `make setup check`, and that every program has its page.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use tests::{Outcome, Run, Scratch, command_dir, program, workspace};

/// The finished programs.
fn programs() -> Vec<String> {
    program("svc");
    let entries = fs::read_dir(command_dir()).expect("command/");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
    let mut names: Vec<_> = names.map(|name| name.expect("a name in UTF-8")).collect();
    names.sort();
    names
}

/// `make GOALS` with everything installed below the scratch directory.
fn make(scratch: &Scratch, goals: &str) -> Outcome {
    program("svc");
    Run::make(&format!("{goals} DESTDIR='{}'", scratch.path().display()))
        .deadline(Duration::from_secs(300))
        .output()
}

#[test]
fn command_holds_the_finished_programs_and_nothing_else() {
    let mut sources: Vec<String> = Vec::new();
    for package in fs::read_dir(workspace()).expect("the checkout").flatten() {
        let bins = package.path().join("src/bin");
        // Programs that only the tests, the benchmarks and the fuzzer run; and a look-up to try the resolver with.
        let ours =
            !["tests", "bench", "fuzz", "dns"].iter().any(|other| package.file_name() == *other);
        if !ours || !bins.is_dir() {
            continue;
        }
        for bin in fs::read_dir(bins).expect("src/bin").flatten() {
            let path = bin.path();
            let name = path.file_stem().and_then(|s| s.to_str()).expect("a name");
            // who@ and its like: no crate may have such a name.
            sources
                .push(name.strip_suffix("-at").map_or(name.to_owned(), |name| format!("{name}@")));
        }
    }
    // Where there is no libpam to link with, make says so and leaves this one out.
    sources.retain(|name| name != "checkpassword-pam" || command_dir().join(name).exists());
    sources.sort();
    assert_eq!(programs(), sources);
    for name in programs() {
        let found = fs::symlink_metadata(command_dir().join(&name)).expect("a program");
        assert!(found.is_file() && found.mode() & 0o111 == 0o111, "{name}");
    }
}

#[test]
fn every_program_has_a_page() {
    for name in programs() {
        assert!(workspace().join(format!("man/{name}.8")).exists(), "{name} has no page");
    }
}

/// The options that a page's lines with this macro name, in their order; flags in a cluster count one by one.
fn options_of(page: &str, line: &str) -> Vec<String> {
    let lines = page.lines().filter_map(|text| text.strip_prefix(line));
    let named = lines.flat_map(|text| text.split("Fl ").skip(1));
    let words = named.filter_map(|text| text.split(' ').next());
    words.flat_map(|word| apart(&format!("-{word}"))).collect()
}

fn apart(option: &str) -> Vec<String> {
    match option.strip_prefix('-') {
        Some(letters) if !letters.starts_with('-') => {
            letters.chars().map(|letter| format!("-{letter}")).collect()
        }
        _ => vec![option.to_owned()],
    }
}

#[test]
fn usage_synopsis_and_text_name_the_same_options() {
    for name in ["tcpserver", "tcpclient", "tlsclient", "rblsmtpd", "svlog"] {
        let said = Run::new(program(name)).arg("-Z").output().err();
        let usage = said.lines().last().unwrap_or_default();
        let options = usage.split("[ ").filter_map(|text| text.split(' ').next());
        let usage: Vec<_> = options.filter(|text| text.starts_with('-')).flat_map(apart).collect();
        let page = fs::read_to_string(workspace().join(format!("man/{name}.8"))).expect("a page");
        assert_eq!(options_of(&page, ".Op "), usage, "{name}: synopsis and usage");
        let [mut listed, mut known] = [options_of(&page, ".It "), usage];
        listed.sort();
        known.sort();
        assert_eq!(listed, known, "{name}: each option has one paragraph");
    }
}

#[test]
fn setup_and_check_on_one_line() {
    let scratch = Scratch::new("setup");
    let made = make(&scratch, "setup check LINKS=1");
    assert_eq!(made.code, 0, "{}{}", made.out(), made.err());
    let count = programs().len();
    assert!(made.out().contains(&format!("check: all {count} programs in ")), "{}", made.out());
    let link = |path: &str| fs::read_link(scratch.join(path)).expect("a link");
    assert_eq!(link("command/svscan"), Path::new("/usr/local/bin/svscan"));
    assert_eq!(link("var/qmail/bin/qmail-popup"), Path::new("/usr/local/bin/qmail-popup"));
    assert_eq!(link("bin/checkpassword"), Path::new("/usr/local/bin/checkpassword"));
    assert!(scratch.join("usr/local/share/man/man8/supervise.8").exists());
    for name in programs() {
        let mode =
            fs::metadata(scratch.join("usr/local/bin").join(&name)).expect("installed").mode();
        assert_eq!(mode & 0o7777, 0o755, "{name}: no program is set-user-id");
    }
}

#[test]
fn setup_replaces_programs_that_run_and_keeps_old_ones() {
    let scratch = Scratch::new("again");
    assert_eq!(make(&scratch, "setup").code, 0);
    // "Text file busy" for a copy onto it.
    let svscan = scratch.join("usr/local/bin/svscan");
    let running = Run::new(&svscan).arg(scratch.dir("service")).spawn();
    let before = fs::metadata(&svscan).expect("installed").ino();
    scratch.file("bin/checkpassword", "the old one");
    scratch.dir("command");
    symlink("/nowhere", scratch.join("command/svc")).expect("an old link");
    let made = make(&scratch, "setup check LINKS=1");
    assert_eq!(made.code, 0, "{}{}", made.out(), made.err());
    assert_ne!(fs::metadata(&svscan).expect("installed").ino(), before);
    assert_eq!(fs::read(scratch.join("bin/checkpassword.old")).expect("kept"), b"the old one");
    assert_eq!(
        fs::read_link(scratch.join("command/svc")).expect("a link"),
        Path::new("/usr/local/bin/svc")
    );
    drop(running);
}

#[test]
fn check_names_what_is_wrong() {
    let scratch = Scratch::new("wrong");
    assert_eq!(make(&scratch, "setup").code, 0);
    let bin = scratch.join("usr/local/bin");
    fs::set_permissions(bin.join("svc"), fs::Permissions::from_mode(0o700)).expect("chmod");
    fs::remove_file(bin.join("svok")).expect("remove");
    fs::write(bin.join("svstat"), "#!/bin/sh\necho something else\n").expect("overwrite");
    let made = make(&scratch, "check");
    assert_ne!(made.code, 0);
    let complaints =
        ["svc has mode 700, not 755", "svok is not installed", "svstat: says 'something else'"];
    for complaint in complaints {
        assert!(made.err().contains(complaint), "{complaint}: {}", made.err());
    }
}

#[test]
fn the_readme_names_every_program_and_the_checks() {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("README.md");
    for name in programs() {
        assert!(readme.contains(&format!("`{name}`")), "README.md does not name {name}");
    }
    for command in
        ["make demo", "make test", "make fuzz", "make setup check", "make cert", "make cert-req"]
    {
        assert!(readme.contains(command), "README.md does not name {command}");
    }
}

/// The sources that have tests of the POP3 chain.
fn sources(place: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(place).expect("sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            found.push((path.display().to_string(), text));
        }
    }
}

#[test]
fn each_row_of_pop3_md_names_tests_that_are_there() {
    let mut found = Vec::new();
    for place in ["pop3/src", "checkpassword/src", "checkpassword-pam/src", "tests/tests"] {
        sources(&workspace().join(place), &mut found);
    }
    let is_there = |name: &str| {
        let path: Vec<&str> = name.split("::").filter(|part| *part != "tests").collect();
        let (test, modules) = path.split_last().expect("a name");
        found.iter().any(|(file, text)| {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let within = |module: &&str| {
                file.contains(&format!("/{module}/")) || file.ends_with(&format!("/{module}.rs"))
            };
            words.any(|word| word == *test) && modules.iter().all(within)
        })
    };
    let table = fs::read_to_string(workspace().join("docs/POP3.md")).expect("docs/POP3.md");
    let mut rows = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [first, .., last] = cells[..] else { panic!("one cell only: {row}") };
        let names: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        // Headings and what is below them.
        if last.starts_with("test") || first.starts_with("| ---") || first.starts_with("| **") {
            continue;
        }
        assert!(!names.is_empty(), "no test: {row}");
        for name in names {
            assert!(is_there(name), "no such test: {name}");
        }
        rows += 1;
    }
    assert!(rows > 60, "{rows} rows");
}
