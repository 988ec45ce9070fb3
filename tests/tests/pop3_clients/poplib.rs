//! Python's poplib, which has a method for each command.

use crate::host::Host;
use crate::{Way, mailbox, with};

/// Tells, for each message, its number, size, id, what RETR and what TOP gave, in hexadecimal; deletes all but the first.
const SCRIPT: &str = r"
import poplib, ssl, sys
way, port, trusted = sys.argv[1:]
poplib._MAXLINE = 1 << 20
context = ssl.create_default_context(cafile=trusted)
if way == 'Tls':
    pop = poplib.POP3_SSL('localhost', int(port), timeout=60, context=context)
else:
    pop = poplib.POP3('localhost', int(port), timeout=60)
if way == 'Stls':
    pop.stls(context=context)
assert 'UIDL' in pop.capa()
pop.user('joe')
pop.pass_('secret')
count, octets = pop.stat()
sizes = dict(line.split() for line in pop.list()[1])
ids = dict(line.split() for line in pop.uidl()[1])
assert len(sizes) == len(ids) == count and sum(map(int, sizes.values())) == octets
for number in range(1, count + 1):
    key = b'%d' % number
    whole, top = (b''.join(line + b'\r\n' for line in reply[1])
                  for reply in (pop.retr(number), pop.top(number, 2)))
    print(number, int(sizes[key]), ids[key].decode(), whole.hex() or '-', top.hex() or '-')
    if number > 1:
        pop.dele(number)
pop.rset()
assert pop.stat() == (count, octets)
pop.noop()
for number in range(2, count + 1):
    pop.dele(number)
assert pop.stat() == (1, int(sizes[b'1']))
pop.quit()
";

fn talks(way: Way) {
    let host = Host::new(way);
    let home = host.dir("poplib");
    let outcome = host
        .client("python3", &home)
        .args(["-c", SCRIPT, &format!("{way:?}"), &host.port().to_string()])
        .arg(host.certificate())
        .output();
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{way:?}: {}", outcome.out());
    let (mut wholes, mut tops) = (Vec::new(), Vec::new());
    for line in outcome.out().lines() {
        let words: Vec<_> = line.split(' ').collect();
        let [_, size, _, whole, top] = words[..] else { panic!("{way:?}: {line}") };
        wholes.push(bytes(whole));
        tops.push(bytes(top));
        assert_eq!(wholes.last().unwrap().len().to_string(), size, "{way:?}: LIST");
    }
    let files = mailbox::awkward();
    let sent: Vec<_> = files.iter().map(|file| mailbox::with_crlf(file)).collect();
    mailbox::same(&wholes, &sent, "RETR");
    mailbox::same(&tops, &sent.iter().map(|sent| top(sent)).collect::<Vec<_>>(), "TOP");
    assert_eq!(host.files().len(), 1, "{way:?}");
    let log = host.log();
    assert!(!log.contains("qmail-") && !log.contains("fatal"), "{way:?}: {log}");
}

/// The header, the blank line, and two lines of what follows.
fn top(sent: &[u8]) -> Vec<u8> {
    let body = sent.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
    let Some(body) = body else { return sent.to_vec() };
    let lines = sent[body..].split_inclusive(|byte| *byte == b'\n').take(2);
    [&sent[..body], &lines.collect::<Vec<_>>().concat()].concat()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let pairs = hexadecimal.trim_matches('-').as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}

#[test]
fn poplib_in_the_clear() {
    with!("python3");
    talks(Way::Clear);
}

#[test]
fn poplib_by_stls() {
    with!("python3");
    talks(Way::Stls);
}

#[test]
fn poplib_over_tls() {
    with!("python3");
    talks(Way::Tls);
}
