# What every case may use besides the programs. Clients come from addresses in 127.0.0.0/8, whose names, and what their hosts
# say of them, are in names.rs and users.rs.
umask 022
export DNSCACHEIP=127.0.0.1
export TCPREMOTEHOST=before TCPREMOTEINFO=before TCPLOCALHOST=before TCPREMOTEIP=before PROTO=before
talks=0

# What a program tells of its environment.
show='env | LC_ALL=C grep -a "^TCP[LR]\|^PROTO\|^[A-Z]=" | LC_ALL=C sort'

# rules TEXT: compiles these rules, in which \n and the like stand for what they are.
rules() {
	printf "$1" | tcprules rules.cdb rules.tmp
}

# serve OPTION ... HOST PORT PROGRAM ...: starts tcpserver.
serve() {
	mkfifo told
	tcpserver -1 "$@" >told 2>log &
	server=$!
	read port <told || {
		wait $server
		echo "no server: $?"
		cat log
		exit
	}
	case " $*" in *' -v'[qQ]*) verbose= ;; *' -v'* | *' -qv'*) verbose=1 ;; *) verbose= ;; esac
}

# from ADDRESS [TO [TEXT]]: connects from there, and shows what comes.
from() {
	talk "$1" "${2:-127.0.0.1}" "$port" ${3:+"$3"}
	talks=$((talks + 1))
	test -z "$verbose" || ended
}

# ended: waits for the end of each connection.
ended() {
	until test "$(grep -ac '^tcpserver: end ' log)" -ge $talks && tail -n 1 log | grep -q 'status: 0/'; do
		sleep 0.05
	done
}

# over: ends the server, and tells how and what it has said.
over() {
	kill -TERM $server
	wait $server
	echo "ends: $?"
	sed -E "s/^(tcpserver: (pid|ok|deny|end)) [0-9]+/\1 PID/; s/^(tcpserver: (ok|deny) .*):[0-9]+\$/\1:CLIENT/; s/:$port /:PORT /" log
	rm -f told log
}

# ask RULES ADDRESS ...: what becomes of these clients by these rules, and what a program gets to know.
ask() {
	rules "$1"
	shift
	serve -vRHl0 -xrules.cdb 127.0.0.1 0 sh -c "$show"
	for client; do
		echo "$client:"
		from $client
	done
	over
}
