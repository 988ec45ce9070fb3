# What every case may use besides the programs.
umask 022

# rules TEXT: compiles these rules, in which \n and the like stand for what they are.
rules() {
	printf "$1" | tcprules rules.cdb rules.tmp
	echo "tcprules: $?"
}

# ask [VARIABLE=VALUE ...]: what the compiled rules say about such a client.
ask() {
	env "$@" tcprulescheck rules.cdb
	echo "tcprulescheck: $?"
}

# through PROGRAM TEXT: what a filter makes of it, byte by byte.
through() {
	printf "$2" | $1 >through.out
	od -An -c -v through.out
}

# beside PROGRAM [ARGUMENT ...]: runs recordio or fixcrio until its copier, too, has ended. Tells how the program has
# ended, what came out, and what went to standard error, the program's input before its output.
beside() {
	mkfifo beside.fifo
	cat <beside.fifo >beside.err &
	# Nobody but the program and its copier holds the input, so that its writer sees when they have closed it.
	exec 4<&0 </dev/null
	"$@" <&4 4<&- >beside.out 2>beside.fifo &
	exec 4<&-
	wait $!
	echo "ends: $?"
	wait
	od -An -c -v beside.out
	grep -v '^[0-9][0-9]* [<>] ' beside.err
	sed -n 's/^[0-9][0-9]* < /PID < /p' beside.err
	sed -n 's/^[0-9][0-9]* > /PID > /p' beside.err
	rm -f beside.*
}

# until_over: greets, and when the program has closed its input, goes on writing until nobody reads any more.
until_over() {
	echo hello
	wait-for file closed
	(yes)
	: >over
}

# on_ended: greets, and when the end of the program's output has come, goes on.
on_ended() {
	echo hello
	wait-for file ended
	echo more
}

# What is at home in the network of the cases that have one.
DNSCACHEIP=127.0.0.53
export DNSCACHEIP

# mail [VARIABLE=VALUE ...] rblsmtpd ARGUMENT ...: what becomes of a client that says nothing.
mail() {
	env "$@" </dev/null
	echo "ends: $?"
}

# say TEXT [VARIABLE=VALUE ...] rblsmtpd ARGUMENT ...: what becomes of one that says this.
say() {
	printf "$1" >said
	shift
	env "$@" <said >heard
	echo "ends: $?"
	od -An -c -v heard
	rm -f said heard
}

# told [OPTION ...] HOST PORT: what a program is told about a connection.
told() {
	tcpclient "$@" sh -c 'env | grep -a "^PROTO\|^TCP" | sed "s/^TCPLOCALPORT=.*/TCPLOCALPORT=N/" | sort'
	echo "ends: $?"
}

# own_address: one that no other case has, and no other run: where it has a port, that is not in use.
own_address() {
	echo "127.4.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1))"
}
