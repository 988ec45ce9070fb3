//! `$SUPERVISEDIR`: where the files are instead of `supervise`.

use super::*;

/// Each client, and what it says of a service that is up there.
fn agree(scratch: &Scratch, base: &str, files: &Path) {
    scratch.dir("s");
    let _ok = fifo(&files.join("ok"));
    let mut control = fifo(&files.join("control"));
    fs::write(files.join("status"), status_in(3, -1_000, 5, b'u')).expect("write a status");
    let run = |name: &str, args: &[&str]| {
        let run = Run::new(program(name)).args(args).cwd(scratch.path());
        run.env("SUPERVISEDIR", base).output()
    };
    assert_eq!(run("svok", &["s"]).code, 0);
    assert_eq!(run("svup", &["s"]).code, 0);
    assert_eq!(run("svstat", &["s"]).out(), "s: up (pid 5) 0 seconds\n");
    assert!(run("svstat", &["-v", "s"]).out().starts_with("s: up (pid 5) 0 seconds, running\n"));
    assert_eq!(run("svc", &["-h", "s"]).code, 0);
    assert_eq!(
        run("svc", &["-T0.2", "-Wup", "s"]).code,
        99,
        "what was sent is not read yet: too early"
    );
    let mut bytes = Vec::new();
    let _ = std::io::Read::read_to_end(&mut control, &mut bytes);
    assert_eq!(bytes, b"h");
    assert_eq!(run("svc", &["-Wup", "s"]).code, 0);
    let elsewhere = Run::new(program("svok")).arg("s").cwd(scratch.path()).output();
    assert_eq!(elsewhere.code, 100);
}

#[test]
fn a_relative_one_is_in_the_service_directory() {
    let scratch = Scratch::new("svc-relative");
    agree(&scratch, "state", &scratch.join("s/state"));
}

#[test]
fn an_absolute_one_holds_a_directory_for_each_path() {
    let scratch = Scratch::new("svc-absolute");
    let base = scratch.dir("run");
    let service = scratch.join("s").display().to_string().replace('/', ":");
    let files = base.join(service.trim_start_matches(':'));
    agree(&scratch, &base.display().to_string(), &files);
}
