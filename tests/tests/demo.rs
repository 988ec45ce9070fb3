//! `make demo CHECK=1`, as whoever runs the tests.

use std::time::Duration;

use tests::{Run, command_dir, program};

#[test]
fn the_demo_verifies_itself() {
    program("svscan");
    let outcome = Run::new(env!("CARGO_BIN_EXE_demo"))
        .arg("--check")
        .env("COMMAND_DIR", command_dir())
        .deadline(Duration::from_secs(120))
        .output();
    assert_eq!(outcome.code, 0, "{}{}", outcome.out(), outcome.err());
    assert!(
        outcome.out().ends_with("demo: all steps are as they should be\n"),
        "{}",
        outcome.out()
    );
}

#[test]
fn ctrl_c_takes_it_down() {
    program("svscan");
    let demo = Run::new(env!("CARGO_BIN_EXE_demo")).env("COMMAND_DIR", command_dir()).spawn();
    demo.expect("Ctrl-C ends it and removes ");
    let shown = tests::text(&demo.stdout());
    let (_, place) = shown.rsplit_once("removes ").expect("the place is named");
    let place = std::path::PathBuf::from(place.trim_end().trim_end_matches('.'));
    assert!(place.join("service/pop3d/run").exists());
    demo.signal(tests::Signal::SIGINT);
    let outcome = demo.wait(Duration::from_secs(60));
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    assert!(!place.exists());
}
