# What every case may use besides the programs.
umask 022

# service DIRECTORY SCRIPT: makes a service directory whose run is this script.
service() {
	mkdir -p "$1"
	printf '#!/bin/sh\n%s\n' "$2" >"$1/run"
	chmod 755 "$1/run"
}

# sleeper DIRECTORY: a service that does nothing, for long.
sleeper() {
	service "$1" 'exec sleep 1000'
}

# noter DIRECTORY: a service that writes each signal it gets to `noted`, once it has written its pid to `ready`. Only KILL ends it.
noter() {
	service "$1" 'for s in HUP ALRM INT TERM CONT QUIT USR1 USR2; do trap "echo $s >>../noted" $s; done
		sleep 1000 & echo $$ >../ready.new; mv ../ready.new ../ready; while :; do wait; done'
}

# teller DIRECTORY COMMAND: a service that writes what it inherits to `seen`, once, with its output as descriptor 9; then it
# becomes this command.
teller() {
	service "$1" "[ -f $PWD/seen ] || { inherits 9>&1 >$PWD/seen.new; mv $PWD/seen.new $PWD/seen; }; exec $2"
}

# begin DIRECTORY: starts supervise, and waits until it listens. A shell has its background ignore INT and QUIT.
begin() {
	env --default-signal=INT --default-signal=QUIT supervise "$1" >"$1.said" 2>&1 </dev/null &
	wait-for supervised "$1"
}

# ended DIRECTORY: waits until supervise has ended; tells how, and what it said meanwhile.
ended() {
	wait-for unsupervised "$1"
	wait $!
	echo "supervise ends: $?"
	cat "$1.said"
	rm -f "$1.said" ready
}

# end DIRECTORY: ends supervise, and its service with it. In this order: what is killed before supervise knows that it shall
# end may be started again.
end() {
	svc -xk "$1"
	ended "$1"
}

# played DIRECTORY: the FIFOs of a supervise that listens, without a supervise.
played() {
	mkdir -p "$1/supervise"
	mkfifo "$1/supervise/ok" "$1/supervise/control"
	exec 3<>"$1/supervise/ok" 4<>"$1/supervise/control"
}

# letters DIRECTORY: what has been written to the control FIFO so far.
letters() {
	dd "if=$1/supervise/control" iflag=nonblock bs=4096 2>/dev/null
	echo
}

# status DIRECTORY PID PAUSED WANTED: a status of a time to come, so that its age is 0; bytes as printf has them.
status() {
	printf "\\100\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0$2$3$4" >"$1/supervise/status"
}

# ordinary COMMAND: runs it as an ordinary user.
ordinary() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

# titled ARGUMENT...: starts readproctitle with the FIFO `f` for its input.
titled() {
	mkfifo f
	readproctitle "$@" <>f &
	title=$!
	wait-for readproctitle in /proc/$title/comm
}

# shown TEXT: waits until this is in readproctitle's command line; ends it, and tells that line.
shown() {
	wait-for "$1" in /proc/$title/cmdline
	tr '\0' '|' </proc/$title/cmdline
	kill $title
}

# scan [DIRECTORY]: starts svscan.
said=$PWD/said
scan() {
	svscan "$@" >"$said" 2>&1 </dev/null &
	scan=$!
}

# unscan SERVICE...: ends svscan, then these services and their supervises; tells what they all said.
unscan() {
	kill -9 $scan 2>/dev/null
	{ wait $scan; } 2>/dev/null
	svc -xk "$@"
	for dir in "$@"; do wait-for unsupervised "$dir"; done
	cat "$said"
	rm "$said"
}

# boot: an empty directory of services for svscanboot. For a root of one's own.
boot() {
	rm -rf /service /etc/service
	mkdir /etc/service
	ln -s /etc/service /service
}

# named PROGRAM: the pids of its processes. For namespaces of one's own.
named() {
	while ! grep -lx "$1" /proc/[0-9]*/comm 2>/dev/null | cut -d / -f 3 | grep .; do :; done
}

# halt: ends what svscanboot started.
halt() {
	kill -9 $(named svscan)
	svc -xk /service/*
	for dir in /service/*; do wait-for unsupervised "$dir"; done
	wait
}
