//! DNS servers on loopback addresses, each with a mind of its own.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

/// A question that has come.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) id: u16,
    /// As it came: `mail.example`.
    pub(crate) name: String,
    pub(crate) kind: u16,
    pub(crate) by_tcp: bool,
    pub(crate) from: SocketAddr,
    /// How many came before, by the same transport.
    pub(crate) earlier: usize,
    /// The name, the kind and the class, as they came.
    pub(crate) question: Vec<u8>,
}

/// What goes out, in this order, and to whom.
pub(crate) enum Reply {
    /// To whoever asked.
    Send(Vec<u8>),
    /// To whoever asked before; by UDP.
    SendTo(SocketAddr, Vec<u8>),
    /// To whoever asked, from another port; by UDP.
    SendFromElsewhere(Vec<u8>),
    /// Bytes as they are, without a length before them; by TCP.
    Raw(Vec<u8>),
    /// The same, a byte a packet.
    Dribble(Vec<u8>),
    /// To keep the connection open until the other side closes it; by TCP.
    Hold,
}

/// What a server does with a question.
pub(crate) type Mind = Box<dyn Fn(&Query) -> Vec<Reply> + Send>;

/// A server; its threads end with the process.
pub(crate) struct Server {
    queries: Arc<Mutex<Vec<Query>>>,
}

impl Server {
    /// What has come so far.
    pub(crate) fn queries(&self) -> Vec<Query> {
        self.queries.lock().expect("no panic").clone()
    }

    /// The same in short: `u1 mail.example`, by UDP or TCP, the kind and the name.
    pub(crate) fn log(&self) -> Vec<String> {
        let short = |query: &Query| {
            let transport = if query.by_tcp { 't' } else { 'u' };
            format!("{transport}{} {}", query.kind, query.name)
        };
        self.queries().iter().map(short).collect()
    }
}

/// Servers at these addresses, at a port that all of them have.
pub(crate) fn start(minds: Vec<(IpAddr, Mind)>) -> (u16, Vec<Server>) {
    let addresses: Vec<IpAddr> = minds.iter().map(|(address, _)| *address).collect();
    let (port, sockets) = (0..100).find_map(|_| bind(&addresses)).expect("a free port");
    let servers = minds.into_iter().zip(sockets).map(|((_, mind), (udp, tcp))| {
        let queries = Arc::new(Mutex::new(Vec::new()));
        let mind = Arc::new(Mutex::new(mind));
        let (its_queries, its_mind) = (queries.clone(), mind.clone());
        thread::spawn(move || serve_datagrams(&udp, &its_queries, &its_mind));
        let (its_queries, its_mind) = (queries.clone(), mind);
        thread::spawn(move || serve_connections(&tcp, &its_queries, &its_mind));
        Server { queries }
    });
    (port, servers.collect())
}

fn bind(addresses: &[IpAddr]) -> Option<(u16, Vec<(UdpSocket, TcpListener)>)> {
    let mut port = 0;
    let mut sockets = Vec::new();
    for address in addresses {
        let tcp = TcpListener::bind((*address, port)).ok()?;
        port = tcp.local_addr().ok()?.port();
        sockets.push((UdpSocket::bind((*address, port)).ok()?, tcp));
    }
    Some((port, sockets))
}

type Queries = Arc<Mutex<Vec<Query>>>;

fn consider(
    message: &[u8],
    from: SocketAddr,
    by_tcp: bool,
    queries: &Queries,
    mind: &Mutex<Mind>,
) -> Vec<Reply> {
    let mut name = Vec::new();
    let mut at = 12;
    while message[at] != 0 {
        let end = at + 1 + usize::from(message[at]);
        name.push(String::from_utf8_lossy(&message[at + 1..end]).into_owned());
        at = end;
    }
    let number = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    assert_eq!((&message[2..12], number(at + 3)), (&b"\x01\0\0\x01\0\0\0\0\0\0"[..], 1));
    assert_eq!(message.len(), at + 5);
    let mut all = queries.lock().expect("no panic");
    let query = Query {
        id: number(0),
        name: name.join("."),
        kind: number(at + 1),
        by_tcp,
        from,
        earlier: all.iter().filter(|query| query.by_tcp == by_tcp).count(),
        question: message[12..].to_vec(),
    };
    all.push(query.clone());
    drop(all);
    mind.lock().expect("no panic")(&query)
}

fn serve_datagrams(socket: &UdpSocket, queries: &Queries, mind: &Mutex<Mind>) {
    let mut message = [0; 600];
    loop {
        // An error is the client's closed port.
        let Ok((length, from)) = socket.recv_from(&mut message) else { continue };
        for reply in consider(&message[..length], from, false, queries, mind) {
            let _ = match reply {
                Reply::Send(bytes) => socket.send_to(&bytes, from),
                Reply::SendTo(other, bytes) => socket.send_to(&bytes, other),
                Reply::SendFromElsewhere(bytes) => {
                    let here = socket.local_addr().expect("an address").ip();
                    UdpSocket::bind((here, 0)).expect("a port").send_to(&bytes, from)
                }
                Reply::Raw(_) | Reply::Dribble(_) | Reply::Hold => panic!("not by UDP"),
            };
        }
    }
}

fn serve_connections(listener: &TcpListener, queries: &Queries, mind: &Mutex<Mind>) {
    for connection in listener.incoming().flatten() {
        let _ = serve_connection(connection, queries, mind);
    }
}

fn serve_connection(
    mut connection: TcpStream,
    queries: &Queries,
    mind: &Mutex<Mind>,
) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let from = connection.peer_addr()?;
    let mut length = [0; 2];
    connection.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    connection.read_exact(&mut message)?;
    for reply in consider(&message, from, true, queries, mind) {
        match reply {
            Reply::Send(bytes) => connection.write_all(&framed(&bytes))?,
            Reply::Raw(bytes) => connection.write_all(&bytes)?,
            Reply::Dribble(bytes) => {
                for byte in bytes {
                    connection.write_all(&[byte])?;
                }
            }
            Reply::Hold => drop(connection.read(&mut [0])),
            Reply::SendTo(..) | Reply::SendFromElsewhere(_) => panic!("not by TCP"),
        }
    }
    Ok(())
}

/// A message as a connection carries it.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).expect("short enough");
    [&length.to_be_bytes(), message].concat()
}
