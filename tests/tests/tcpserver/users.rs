//! IDENT servers at port 113 of all addresses: what each says of its users, by the last octet of 127.0.1.x.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::Once;
use std::thread;

/// From now on, until the process ends.
pub(crate) fn serve() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for host in ["0.0.0.0", "[::1]"] {
            let listener = TcpListener::bind(format!("{host}:113"));
            let listener = listener.expect("port 113 of the test's own network");
            thread::spawn(move || {
                for connection in listener.incoming().flatten() {
                    thread::spawn(move || answer(connection));
                }
            });
        }
    });
}

fn answer(mut connection: TcpStream) {
    let mut question = Vec::new();
    while !question.ends_with(b"\r\n") {
        let mut byte = [0];
        if !matches!(connection.read(&mut byte), Ok(1)) {
            return;
        }
        question.push(byte[0]);
    }
    let ports = String::from_utf8_lossy(&question).trim().to_owned();
    let octets = match connection.local_addr().expect("an address").ip().to_canonical() {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => [127, 0, 1, 2],
    };
    let said = |text: &[u8]| [ports.as_bytes(), text].concat();
    let text: Vec<u8> = match octets[3] {
        _ if octets[2] != 1 => return,
        2 => said(b" : USERID : UNIX : joe\r\n"),
        3 => said(b":ERROR:NO-USER\r\n"),
        4 => b"1,2:USERID:UNIX:liar\r\n".to_vec(),
        5 => said(b":USERID:OTHER,US-ASCII:a b%:c \r\n"),
        6 => said(&[&b":USERID:UNIX:"[..], &[b'x'; 3000], b"\r\n"].concat()),
        7 => said(b":USERID:UNIX:no end"),
        8 => said(b":USERID:UNIX:\n"),
        9 => said(b":USERID:UNIX:a:b\n"),
        10 => said(b": USERID: UNIX :\tlead ing\r\n"),
        11 => said(b":userid:unix:low\r\n"),
        12 => [&[b'y'; 5000][..], b"\r\n"].concat(),
        13 => b"\n".to_vec(),
        14 => said(b":USERID:UNIX:a\x01\x1b[31mb\x7f\r\n"),
        15 => said(b":USERID:UNIX:nul\0here\r\n"),
        16 => said(b":USERID:UNIX:1\r\n:::2\r\n"),
        17 => said(b":USERID:UNIX\r\n"),
        18 => said(b":USERID:UNIX:\xc3\xa4\xff\r\n"),
        19 => said(b":USERID:UNIX:a@b=c\r\n"),
        20 => said(&[&b":USERID:UNIX:"[..], &[b'z'; 99], b"\n"].concat()),
        21 => said(&[&b":USERID:UNIX:"[..], &[b'z'; 100], b"\n"].concat()),
        22 => said(&[&b":USERID:UNIX:"[..], &[b'z'; 256], b"\n"].concat()),
        23 => said(&[&b":USERID:UNIX:"[..], &[b'z'; 258], b"\n"].concat()),
        // Byte by byte.
        24 => {
            let _ = connection.set_nodelay(true);
            for byte in said(b":USERID:UNIX:slow\r\n") {
                let _ = connection.write_all(&[byte]);
            }
            return;
        }
        // Silence, until the other side has had enough.
        25 => {
            let _ = connection.read(&mut [0]);
            return;
        }
        // Without end.
        26 => {
            while connection.write_all(&[b'w'; 4096]).is_ok() {}
            return;
        }
        _ => return,
    };
    let _ = connection.write_all(&text);
}
