//! The portable table of the system's reasons: the same words on every host, and those that the
//! originals' users (and their scripts) know.

use sys::Errno;

/// The reason behind an error number.
#[must_use]
pub fn reason(errno: Errno) -> &'static str {
    TABLE
        .iter()
        .find_map(|(known, text)| (*known == errno).then_some(*text))
        .unwrap_or("unknown error")
}

const TABLE: &[(Errno, &str)] = &[
    (Errno::INTR, "interrupted system call"),
    (Errno::NOMEM, "out of memory"),
    (Errno::NOENT, "file does not exist"),
    (Errno::TXTBSY, "text busy"),
    (Errno::IO, "input/output error"),
    (Errno::EXIST, "file already exists"),
    (Errno::TIMEDOUT, "timed out"),
    (Errno::INPROGRESS, "operation in progress"),
    (Errno::AGAIN, "temporary failure"),
    (Errno::PIPE, "broken pipe"),
    (Errno::PERM, "permission denied"),
    (Errno::ACCESS, "access denied"),
    (Errno::NXIO, "device not configured"),
    (Errno::PROTO, "protocol error"),
    (Errno::ISDIR, "is a directory"),
    (Errno::CONNREFUSED, "connection refused"),
    (Errno::NOTDIR, "not a directory"),
    (Errno::SRCH, "no such process"),
    (Errno::TOOBIG, "argument list too long"),
    (Errno::NOEXEC, "exec format error"),
    (Errno::BADF, "file descriptor not open"),
    (Errno::CHILD, "no child processes"),
    (Errno::DEADLK, "operation would cause deadlock"),
    (Errno::FAULT, "bad address"),
    (Errno::NOTBLK, "not a block device"),
    (Errno::BUSY, "device busy"),
    (Errno::XDEV, "cross-device link"),
    (Errno::NODEV, "device does not support operation"),
    (Errno::INVAL, "invalid argument"),
    (Errno::NFILE, "system cannot open more files"),
    (Errno::MFILE, "process cannot open more files"),
    (Errno::NOTTY, "not a tty"),
    (Errno::FBIG, "file too big"),
    (Errno::NOSPC, "out of disk space"),
    (Errno::SPIPE, "unseekable descriptor"),
    (Errno::ROFS, "read-only file system"),
    (Errno::MLINK, "too many links"),
    (Errno::DOM, "input out of range"),
    (Errno::RANGE, "output out of range"),
    (Errno::ALREADY, "operation already in progress"),
    (Errno::NOTSOCK, "not a socket"),
    (Errno::DESTADDRREQ, "destination address required"),
    (Errno::MSGSIZE, "message too long"),
    (Errno::PROTOTYPE, "incorrect protocol type"),
    (Errno::NOPROTOOPT, "protocol not available"),
    (Errno::PROTONOSUPPORT, "protocol not supported"),
    (Errno::SOCKTNOSUPPORT, "socket type not supported"),
    (Errno::OPNOTSUPP, "operation not supported"),
    (Errno::PFNOSUPPORT, "protocol family not supported"),
    (Errno::AFNOSUPPORT, "address family not supported"),
    (Errno::ADDRINUSE, "address already used"),
    (Errno::ADDRNOTAVAIL, "address not available"),
    (Errno::NETDOWN, "network down"),
    (Errno::NETUNREACH, "network unreachable"),
    (Errno::NETRESET, "network reset"),
    (Errno::CONNABORTED, "connection aborted"),
    (Errno::CONNRESET, "connection reset"),
    (Errno::NOBUFS, "out of buffer space"),
    (Errno::ISCONN, "already connected"),
    (Errno::NOTCONN, "not connected"),
    (Errno::SHUTDOWN, "socket shut down"),
    (Errno::TOOMANYREFS, "too many references"),
    (Errno::LOOP, "symbolic link loop"),
    (Errno::NAMETOOLONG, "file name too long"),
    (Errno::HOSTDOWN, "host down"),
    (Errno::HOSTUNREACH, "host unreachable"),
    (Errno::NOTEMPTY, "directory not empty"),
    (Errno::USERS, "too many users"),
    (Errno::DQUOT, "disk quota exceeded"),
    (Errno::STALE, "stale NFS file handle"),
    (Errno::REMOTE, "too many levels of remote in path"),
    (Errno::NOLCK, "no locks available"),
    (Errno::NOSYS, "system call not available"),
    (Errno::NOSTR, "not a stream device"),
    (Errno::TIME, "timer expired"),
    (Errno::NOSR, "out of stream resources"),
    (Errno::NOMSG, "no message of desired type"),
    (Errno::BADMSG, "bad message type"),
    (Errno::IDRM, "identifier removed"),
    (Errno::NONET, "machine not on network"),
    (Errno::NOLINK, "link severed"),
    (Errno::ADV, "advertise error"),
    (Errno::SRMNT, "srmount error"),
    (Errno::COMM, "communication error"),
    (Errno::MULTIHOP, "multihop attempted"),
    (Errno::REMCHG, "remote address changed"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_that_users_know() {
        assert_eq!(reason(Errno::NOENT), "file does not exist");
        assert_eq!(reason(Errno::PERM), "permission denied");
        assert_eq!(reason(Errno::ACCESS), "access denied");
        assert_eq!(reason(Errno::from_raw_os_error(4000)), "unknown error");
    }

    #[test]
    fn no_number_stands_twice() {
        for (index, (errno, _)) in TABLE.iter().enumerate() {
            assert!(TABLE[..index].iter().all(|(other, _)| other != errno), "{errno:?}");
        }
    }
}
