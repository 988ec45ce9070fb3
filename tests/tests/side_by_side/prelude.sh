# What every case may use besides the programs.
umask 022

# service DIRECTORY SCRIPT: makes a service directory whose run is this script.
service() {
	mkdir -p "$1"
	printf '#!/bin/sh\n%s\n' "$2" >"$1/run"
	chmod 755 "$1/run"
}

# begin DIRECTORY: starts supervise, and waits until it listens.
begin() {
	supervise "$1" >"$1.said" 2>&1 </dev/null &
	wait-for supervised "$1"
}

# end DIRECTORY: ends supervise, and its service with it; tells how it ended, and what it said meanwhile.
end() {
	svc -dx "$1"
	wait-for unsupervised "$1"
	wait $!
	echo "supervise ends: $?"
	cat "$1.said"
	rm "$1.said"
}

# ordinary COMMAND: runs it as an ordinary user.
ordinary() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}
