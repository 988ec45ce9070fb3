//! The messages, and what a line is on the way.

/// A letter with the header that clients look for.
pub(crate) fn letter(number: usize, body: &[u8]) -> Vec<u8> {
    let header = format!(
        "From: a@example.org\nTo: b@example.org\nSubject: message {number}\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\nMessage-ID: <{number}@example.org>\n\n"
    );
    [header.as_bytes(), body].concat()
}

/// What is awkward about a message's line ends, lengths and bytes, a message for each; the files as they are.
pub(crate) fn awkward() -> Vec<Vec<u8>> {
    let eight_bit: Vec<u8> = (128..=255).cycle().take(3 * 128).chain(*b"\n\xFF\xFE\n").collect();
    // Dots and line ends where the file is read, or the connection written, in pieces.
    let around_pieces = [&[b'.'; 70][..], b"\n"].concat().repeat(6000);
    let bodies: [&[u8]; 10] = [
        &around_pieces,
        b".\n..\n...\n. x\n\n.\n.\n",
        &[&[b'x'; 998][..], b"\n", &[b'.'; 4000], b"\n"].concat(),
        &[&[b'y'; 100_000][..], b"\n"].concat(),
        &eight_bit,
        b"no newline at the end",
        b"a NUL \0 and more \0\0\n\0\n",
        b"blank lines at the end\n\n\n\n",
        b"From the beginning of a line\n>From it, quoted\n",
        b"a\tcontrol \x01 \x1B[31m \x7F byte\n",
    ];
    let mut messages: Vec<_> = bodies.iter().enumerate().map(|(n, body)| letter(n, body)).collect();
    // A file with CRLF, a last line of one without it, a header without a body, and nothing at all.
    let crlf = letter(10, b"a file with CRLF\n.dot\n").iter().fold(Vec::new(), |mut file, byte| {
        file.extend_from_slice(if *byte == b'\n' { b"\r\n" } else { std::slice::from_ref(byte) });
        file
    });
    messages.push(crlf[..crlf.len() - 2].to_vec());
    messages.push(crlf);
    let header = letter(11, b"");
    messages.push(header[..header.len() - 1].to_vec());
    messages.push(Vec::new());
    messages
}

/// The line-end rule: CRLF where the file has LF or CRLF, and at the end of a last line without either.
pub(crate) fn with_crlf(file: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(file.len() + file.len() / 16);
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// What a client makes of that which stores lines as files have them.
pub(crate) fn with_lf(file: &[u8]) -> Vec<u8> {
    let sent = with_crlf(file);
    let lines = sent.split_inclusive(|byte| *byte == b'\n');
    lines.flat_map(|line| [&line[..line.len() - 2], b"\n"]).flatten().copied().collect()
}

/// That these are the same messages, each as often, in whatever order.
#[track_caller]
pub(crate) fn same(got: &[Vec<u8>], expected: &[Vec<u8>], what: &str) {
    let (mut got, mut expected) = (got.to_vec(), expected.to_vec());
    got.sort();
    expected.sort();
    if got == expected {
        return;
    }
    let missing = expected.iter().filter(|message| !got.contains(message));
    let strange = got.iter().filter(|message| !expected.contains(message));
    let shown = |message: &Vec<u8>| {
        let (begin, end) = (message.len().min(400), message.len().saturating_sub(200));
        let [begin, end] = [&message[..begin], &message[end..]].map(String::from_utf8_lossy);
        format!("{} bytes: {begin:?} ... {end:?}", message.len())
    };
    panic!(
        "{what}: {} messages came, not {}; missing: {:#?}; strange: {:#?}",
        got.len(),
        expected.len(),
        missing.map(shown).collect::<Vec<_>>(),
        strange.map(shown).collect::<Vec<_>>()
    );
}

#[test]
fn line_ends() {
    for (file, sent, stored) in [
        (&b""[..], &b""[..], &b""[..]),
        (b"\n", b"\r\n", b"\n"),
        (b"a", b"a\r\n", b"a\n"),
        (b"a\r\nb\r", b"a\r\nb\r\n", b"a\nb\n"),
        (b"a\rb\n\n", b"a\rb\r\n\r\n", b"a\rb\n\n"),
    ] {
        assert_eq!((with_crlf(file), with_lf(file)), (sent.to_vec(), stored.to_vec()));
    }
}
