//! Where logs are.

use super::*;
use std::os::unix::fs::symlink;

#[test]
fn wherever_a_service_has_its_log() {
    let scratch = Scratch::new("svlog-places");
    for (place, log) in [
        ("main", "service/main/log/main"),
        ("other", "service/other/log/all"),
        ("flat", "service/flat/log"),
        ("encore", "service/encore/main"),
        ("itself", "service/itself"),
    ] {
        scratch.file(&format!("{log}/current"), format!("of {place}\n"));
        scratch.file(&format!("{log}/lock"), "");
        scratch.file(&format!("service/{place}/run"), "");
        let shown = format!("of {place}\n");
        let absolute = scratch.join("service").join(place);
        let relative = format!("./service/{place}/");
        for name in [place, &relative, absolute.to_str().expect("UTF-8"), &format!("./{log}")] {
            assert_eq!(said(&scratch, &[name]), shown, "{name}");
        }
    }
    // Of several, the one that is called main, or the first one; another has to be named.
    scratch.file("service/main/log/alerts/current", "alerts\n");
    scratch.file("service/other/log/zero/current", "zero\n");
    assert_eq!(said(&scratch, &["main"]), "of main\n");
    assert_eq!(said(&scratch, &["other"]), "of other\n");
    assert_eq!(said(&scratch, &["main/log/alerts"]), "alerts\n");
    // Only finished files, as those that were moved away.
    scratch.file(&format!("old/{}.s", label(5)), "old\n");
    assert_eq!(said(&scratch, &["old"]), "old\n");
    symlink(scratch.join("old"), scratch.join("service/linked")).expect("a link");
    assert_eq!(said(&scratch, &["linked"]), "old\n");
}

#[test]
fn a_directory_without_a_log_does_not_hide_a_service() {
    let scratch = Scratch::new("svlog-hidden");
    scratch.dir("dns/zones");
    scratch.file("dns/lock", "");
    scratch.file("service/dns/log/main/current", "served\n");
    assert_eq!(said(&scratch, &["dns"]), "served\n");
    scratch.file("dns/current", "here\n");
    assert_eq!(said(&scratch, &["dns"]), "here\n");
}

#[test]
fn names_tell_services_apart() {
    let scratch = Scratch::new("svlog-names");
    for place in ["a/dns", "b/dns", "b/web/log/main"] {
        scratch.file(&format!("{place}/current"), format!("{place}\n"));
    }
    let shown = said(&scratch, &["./a/dns", "./b/dns", "./b/web"]);
    let expected = "./a/dns: a/dns\n./b/dns: b/dns\nweb: b/web/log/main\n";
    assert_eq!(shown, expected);
    let shown = said(&scratch, &["./a/dns", "./b/web/log/main"]);
    assert_eq!(shown, "dns: a/dns\nweb/log/main: b/web/log/main\n");
}

#[test]
fn what_has_no_log_is_said_and_the_others_are_shown() {
    let scratch = Scratch::new("svlog-none");
    scratch.file("service/dns/current", "up\n");
    scratch.dir("service/empty/log/main");
    scratch.file("service/plain", "");
    let unable = "unable to find the log of";
    for (name, why) in [
        ("nowhere", "file does not exist"),
        ("empty", "file does not exist"),
        ("plain", "not a directory"),
        ("", "file does not exist"),
    ] {
        let outcome = svlog(&scratch, &[name]).output();
        assert_eq!(outcome.err(), format!("svlog: fatal: {unable} {name}: {why}\n"));
        assert_eq!(outcome.code, 111);
    }
    let outcome = svlog(&scratch, &["nowhere", "dns"]).output();
    let said = format!("svlog: warning: {unable} nowhere: file does not exist\n");
    assert_eq!(
        (outcome.out().as_str(), outcome.err(), outcome.code),
        ("dns: up\n".replace("dns: ", "").as_str(), said, 111)
    );
    assert_eq!(svlog(&scratch, &["-f", "nowhere", "empty"]).output().code, 111);
}

/// As they stand in the README; what follows, until it has shown something.
#[test]
fn the_commands_of_the_readme() {
    let scratch = Scratch::new("svlog-readme");
    for service in ["dns", "web"] {
        keep(&scratch, &["t", &format!("./{service}")], &numbered(200, 10));
        fs::create_dir_all(scratch.join(format!("service/{service}/log"))).expect("a service");
        let to = scratch.join(format!("service/{service}/log/main"));
        fs::rename(scratch.join(service), to).expect("renamed");
    }
    let readme = fs::read_to_string(tests::workspace().join("README.md")).expect("README.md");
    let commands = readme.lines().filter_map(|line| line.strip_prefix("    svlog "));
    let commands: Vec<&str> = commands.map(|line| line.split('#').next().unwrap_or(line)).collect();
    assert!(commands.len() >= 4);
    for command in commands {
        let args: Vec<&str> = command.split_whitespace().collect();
        if args.contains(&"-f") {
            let child = svlog(&scratch, &args).spawn();
            child.expect("web: ");
            let dns = ["t", "./service/dns/log/main"];
            keep(&scratch, &dns, "and more\n");
            child.expect(" and more\n");
            keep(&scratch, &dns, "line 200 \n");
        } else {
            // Whether a time of the day has come yet, only the clock knows.
            let shown = said(&scratch, &args);
            assert!(args.contains(&"-u") || shown.contains("line 200 "), "{command}");
        }
    }
}
