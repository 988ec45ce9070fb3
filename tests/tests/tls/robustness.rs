//! Peers that are slow, silent, or not what they should be.

use super::{Host, PATIENCE, Tls, make_certificate, over, say_goodbye};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use tests::{Run, Scratch, skip, wait_until};

fn host(scratch: &Scratch, options: &[&str], script: &str) -> Host {
    make_certificate(scratch, &["--host", "localhost"]);
    Host::start(scratch, options, script)
}

/// A ClientHello as rustls makes it.
fn client_hello(scratch: &Scratch) -> Vec<u8> {
    let (server, client) = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().unwrap().0, client)
    };
    let mut tls = over(client, scratch);
    let mut hello = Vec::new();
    tls.conn.write_tls(&mut hello).unwrap();
    drop(server);
    hello
}

/// Everything until the end, however it ends.
fn rest(socket: &mut TcpStream) -> Vec<u8> {
    let mut seen = Vec::new();
    let _ = socket.read_to_end(&mut seen);
    seen
}

#[test]
fn a_peer_that_stops_anywhere_in_the_handshake_has_its_time_and_no_more() {
    let scratch = Scratch::new("tls-stops");
    // -K is a limit for the whole handshake, in thousandths of a second.
    let host = host(&scratch, &["-K300"], "touch started");
    let hello = client_hello(&scratch);
    for length in [0, 1, 5, 6, 40, hello.len() - 1, hello.len()] {
        let mut socket = host.socket();
        socket.write_all(&hello[..length]).unwrap();
        rest(&mut socket);
    }
    wait_until("seven lines", PATIENCE, || {
        host.log().matches("TLS handshake failed: timed out").count() == 7
    });
    assert_eq!(host.log().matches("timed out (peer sent nothing)").count(), 1);
    // One byte now and then is no progress.
    let mut slow = host.socket();
    slow.set_nodelay(true).unwrap();
    // Faster than the limit, slower than the whole: what counts is that it ends at all.
    slow.set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
    for byte in hello.iter().cycle() {
        if slow.write_all(&[*byte]).is_err() {
            break;
        }
        match slow.read(&mut [0; 64]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => break,
        }
    }
    assert!(!scratch.join("started").exists());
    wait_until("all to be gone", PATIENCE, || host.log().ends_with("status: 0/40\n"));
}

#[test]
fn records_that_are_too_long_or_nonsense() {
    let scratch = Scratch::new("tls-nonsense");
    let host = host(&scratch, &[], "cat >/dev/null");
    // In the handshake: longer than a record may be (RFC 8446, 5.1).
    let mut socket = host.socket();
    socket.write_all(&[22, 3, 1, 0x48, 1]).unwrap();
    socket.write_all(&vec![0; 0x4801]).unwrap();
    rest(&mut socket);
    host.child.expect_stderr("TLS handshake failed: peer sent ");
    // And after it.
    for record in
        [&[23, 3, 3, 0x41, 1][..], &[99, 3, 3, 0, 1, 0], &[22, 3, 3, 0, 0], &[23, 3, 3, 0, 0]]
    {
        let mut tls = connected(&host, &scratch);
        tls.sock.write_all(record).unwrap();
        let _ = tls.sock.write_all(&vec![0; 0x4101]);
        rest(&mut tls.sock);
    }
    wait_until("all to be gone", PATIENCE, || host.log().ends_with("status: 0/40\n"));
    let log = host.log();
    let ends: Vec<_> = log.lines().filter(|line| line.contains(": end ")).collect();
    assert_eq!(ends.len(), 5, "{log}");
    // A relay that crashed, or was killed, has the number of a signal.
    assert!(
        ends.iter().all(|line| line.ends_with(" status 0") || line.ends_with(" status 28416")),
        "{log}"
    );
    assert_eq!(log.matches("warning: ").count(), 5, "{log}");
}

fn connected(host: &Host, scratch: &Scratch) -> Tls {
    let mut tls = host.connect(scratch);
    tls.conn.complete_io(&mut tls.sock).unwrap();
    tls
}

#[test]
fn the_system_looks_whether_a_silent_peer_is_still_there() {
    let scratch = Scratch::new("tls-keepalive");
    let host = host(&scratch, &[], "read line");
    let tls = connected(&host, &scratch);
    // proc(5): our end, theirs, the state (1: established), two queues, and the timer that runs.
    let ends = [host.port, tls.sock.local_addr().unwrap().port()]
        .map(|port| format!("0100007F:{port:04X}"))
        .join(" ");
    let keepalive = format!("{ends} 01 00000000:00000000 02:");
    wait_until("a timer for keepalive", PATIENCE, || {
        fs::read_to_string("/proc/net/tcp").unwrap().contains(&keepalive)
    });
}

#[test]
fn a_stream_that_is_cut_short_is_said() {
    let scratch = Scratch::new("tls-cut");
    let host = host(&scratch, &[], "wc -c >received");
    let mut tls = connected(&host, &scratch);
    tls.write_all(b"whole").unwrap();
    tls.conn.writer().write_all(b"cut").unwrap();
    let mut record = Vec::new();
    tls.conn.write_tls(&mut record).unwrap();
    tls.sock.write_all(&record[..record.len() - 1]).unwrap();
    tls.sock.shutdown(Shutdown::Write).unwrap();
    rest(&mut tls.sock);
    host.child.expect_stderr("peer closed the connection without close_notify\n");
    host.child.expect_stderr("status 0\n");
    assert_eq!(fs::read_to_string(scratch.join("received")).unwrap().trim(), "5");
}

#[test]
fn renegotiation_and_early_data_are_refused() {
    if !Path::new("/usr/bin/openssl").exists() {
        skip!("no openssl");
    }
    let scratch = Scratch::new("tls-again");
    let host = host(&scratch, &[], "read line; echo \"got $line\"");
    let s_client = |arguments: &str, input: &str| {
        Run::new("/usr/bin/openssl")
            .args(["s_client", "-connect", &format!("127.0.0.1:{}", host.port)])
            .args(arguments.split(' '))
            .cwd(scratch.path())
            .stdin(input)
            .output()
    };
    // A line that begins with R asks for it.
    let again = s_client("-tls1_2 -legacy_renegotiation", "R\nafter\n");
    assert!(!again.out().contains("got after"), "{}", again.out());
    wait_until("its end", PATIENCE, || host.log().ends_with("status: 0/40\n"));
    let log = host.log();
    assert_eq!(log.matches("warning: ").count(), 1, "{log}");
    // A low number would be that of a signal that ended the relay itself.
    let (_, status) = log.rsplit_once(" status ").unwrap();
    let status: i32 = status.lines().next().unwrap().parse().unwrap();
    assert_eq!(status & 0xFF, 0, "{log}");
    // Early data: not on offer, so not taken; the connection itself is as good as any.
    s_client("-tls1_3 -sess_out session -ign_eof", "hello\n");
    scratch.file("early", "early\n");
    let seen = s_client("-tls1_3 -sess_in session -early_data early -ign_eof", "late\n").out();
    assert!(seen.contains("Reused, TLSv1.3") && seen.contains("Early data was not sent"), "{seen}");
    assert!(seen.contains("got late") && !seen.contains("got early"), "{seen}");
}

/// What a process has for itself alone, in kB.
fn private(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let of = |name: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
    };
    of("Private_Clean:") + of("Private_Dirty:")
}

#[test]
fn a_crowd_of_idle_clients_costs_flat_memory() {
    let scratch = Scratch::new("tls-crowd");
    let host = host(&scratch, &["-c1000"], "echo hello; read line");
    let crowd = if std::env::var_os("STORM").is_some() { 500 } else { 60 };
    let mut clients = Vec::new();
    let children = || {
        let path = format!("/proc/{0}/task/{0}/children", host.listener());
        let text = fs::read_to_string(path).unwrap();
        text.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<i32>>()
    };
    let average =
        |relays: &[i32]| relays.iter().map(|pid| private(*pid)).sum::<u64>() / relays.len() as u64;
    let mut costs = Vec::new();
    while clients.len() < crowd {
        let mut tls = connected(&host, &scratch);
        // The program's words: from here on, nothing moves.
        tls.read_exact(&mut [0; 6]).unwrap();
        clients.push(tls);
        if clients.len() == crowd / 6 || clients.len() == crowd {
            let relays = children();
            assert_eq!(relays.len(), clients.len());
            costs.push((average(&relays), private(host.listener())));
        }
    }
    eprintln!("relay and listener, in kB, at a sixth and at all of {crowd} clients: {costs:?}");
    let [(few, alone), (many, crowded)] = costs[..] else { panic!("{costs:?}") };
    // As an ordinary user, relays that nobody may look at count as nothing.
    assert!(many <= few + few / 4 + 16, "{costs:?}");
    assert!(crowded <= alone + 1000, "{costs:?}");
    for tls in &mut clients {
        say_goodbye(tls);
    }
    drop(clients);
    wait_until("all to be gone", PATIENCE * 3, || children().is_empty());
}
