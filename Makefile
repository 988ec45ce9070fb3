# daemontools-rs: what an administrator and a developer type.
#
#   make                 builds the finished programs into command/
#   make setup check     installs them under PREFIX, then verifies what was installed
#   make test            all tests          make demo     see it work, as an ordinary user
#   make fuzz            the parsers against inputs that are made up for them (SECONDS=60 for each, BRIEF for the small ones,
#                        JOBS=2 at a time, TARGETS=... of fuzz/src/bin); needs g++
#   make storm           as root: 10,000 random events over 50 services, 500 rounds over a Maildir, 200 over logs, 10,000 cases
#                        of multilog beside Debian's, and the other trials at their full length (STORMS=pop3_storm: one of them)
#
# Variables: PREFIX (/usr/local), DESTDIR (packagers), LINKS=1 (the traditional names as links), HOSTED=1 (programs that
# lean on the C library instead of our own runtime: the only mode on processors other than x86-64), CERT_FLAGS (make cert).

PREFIX = /usr/local
DESTDIR =
LINKS =
HOSTED = $(DAEMONTOOLS_HOSTED)
CERT_FLAGS =
CARGO = cargo

BIN = $(DESTDIR)$(PREFIX)/bin
MAN = $(DESTDIR)$(PREFIX)/share/man/man8

PACKAGES = svscan supervise svc softlimit setuidgid tcpserver tcpclient tlsclient ucspi multilog pop3 checkpassword
# The one program that isn't static, as it has libpam load modules: where there is a libpam to link with.
PAM := $(if $(wildcard command/checkpassword-pam),checkpassword-pam,$(shell \
	t=$$(mktemp -d) && echo 'int pam_start(void); int main(void) { return pam_start(); }' >$$t/links.c && \
	$(or $(CC),cc) -o $$t/links $$t/links.c -lpam 2>/dev/null && echo checkpassword-pam; rm -rf "$$t"))
# who@ and its like are built as who-at: no crate may have such a name.
PROGRAMS := $(sort $(patsubst %-at,%@,$(basename $(notdir $(wildcard $(PACKAGES:%=%/src/bin/*.rs))))) $(PAM))
PAGES := $(wildcard man/*.8)

# The traditional places that LINKS=1 fills.
COMMAND = $(filter svscan svscanboot readproctitle supervise svc svok svstat svup softlimit setuidgid envuidgid envdir \
	envini setlock fghack pgrphack setuser multilog tai64n tai64nlocal, $(PROGRAMS))
QMAIL = $(filter qmail-popup qmail-pop3d splogger maildirmake, $(PROGRAMS))

ifneq ($(shell uname -m),x86_64)
HOSTED = 1
endif

# Each mode of `sys` has a build directory of its own, so that going back and forth builds nothing twice.
ifeq ($(HOSTED),)
TARGET = $(CURDIR)/target/freestanding
else
TARGET = $(CURDIR)/target/hosted
export DAEMONTOOLS_HOSTED = 1
endif

STATIC = -C target-feature=+crt-static
# A static GNU C library calls what Rust brings along only for programs that have std.
ifneq ($(HOSTED),)
STATIC += $(GNU_STATIC_$(findstring gnu,$(HOST)))
GNU_STATIC_gnu = -C link-args=-Wl,-Bstatic,-lgcc_eh,-lgcc,-lc
endif
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
BUILT = $(TARGET)/$(HOST)/release

.PHONY: all setup check cert cert-req demo test storm fuzz bench clean

all:
	@RUSTFLAGS="$(RUSTFLAGS) $(STATIC)" CARGO_PROFILE_RELEASE_STRIP=none $(CARGO) build --locked --release --bins \
		--target "$(HOST)" --target-dir "$(TARGET)" $(PACKAGES:%=-p %)
ifneq ($(PAM),)
	@CARGO_PROFILE_RELEASE_STRIP=none $(CARGO) build --locked --release --bins --target "$(HOST)" --target-dir "$(TARGET)/pam" -p $(PAM)
	@ln -f "$(TARGET)/pam/$(HOST)/release/$(PAM)" "$(BUILT)/$(PAM)"
else
	@echo "make: checkpassword-pam is left out: there is no libpam to link with (Debian: libpam0g-dev)"
endif
	@set -e; mkdir -p command; cd command; \
	for p in $(PROGRAMS); do \
		case $$p in *@) b=$${p%@}-at;; *) b=$$p;; esac; \
		strip -o "$(TARGET)/new" "$(BUILT)/$$b"; \
		cmp -s "$(TARGET)/new" $$p || mv -f "$(TARGET)/new" $$p; \
	done; \
	for f in * .[!.]*; do \
		case " $(PROGRAMS) " in *" $$f "*) ;; *) rm -rf "$$f";; esac; \
	done

# Each file is put beside its name and renamed, so that a running program is never "text file busy" or half there.
# `sudo make setup` needs no Rust once the programs are built.
setup:
	@for p in $(PROGRAMS); do test -x command/$$p || exec $(MAKE) --no-print-directory all; done
	@set -e; umask 022; mkdir -p "$(BIN)" "$(MAN)"; \
	put() { cp "$$1" "$$2.new"; chmod "$$3" "$$2.new"; mv -f "$$2.new" "$$2"; }; \
	for p in $(PROGRAMS); do put command/$$p "$(BIN)/$$p" 755; done; \
	for m in $(PAGES); do put $$m "$(MAN)/$${m##*/}" 644; done; \
	echo "setup: $(words $(PROGRAMS)) programs are in $(BIN), $(words $(PAGES)) pages in $(MAN)"
ifneq ($(LINKS),)
	@set -e; umask 022; \
	link() { \
		mkdir -p "$(DESTDIR)$$1"; n="$(DESTDIR)$$1/$$2"; \
		if test -e "$$n" && ! test -L "$$n"; then mv "$$n" "$$n.old"; echo "setup: kept the old $$n as $$n.old"; fi; \
		ln -sf "$(PREFIX)/bin/$$2" "$$n.new"; mv -fT "$$n.new" "$$n"; \
	}; \
	for p in $(COMMAND); do link /command $$p; done; \
	for p in $(QMAIL); do link /var/qmail/bin $$p; done; \
	link /bin checkpassword; \
	echo "setup: links are in $(DESTDIR)/command, $(DESTDIR)/var/qmail/bin and $(DESTDIR)/bin/checkpassword"
endif

check:
	@PROGRAMS="$(PROGRAMS)" tests/check "$(BIN)"

cert cert-req:
	@test -x command/tcpserver-cert || exec $(MAKE) --no-print-directory all
	@command/tcpserver-cert $(if $(filter cert-req,$@),--request) $(CERT_FLAGS)

# The demo is a program of the package `tests`, which is always built by an invocation of its own: Cargo unifies
# features within one, and what tests lean on must not reach the freestanding programs.
demo: all
	@$(CARGO) run --locked --quiet --target-dir "$(TARGET)" -p tests --bin demo -- $(if $(CHECK),--check)

# UNITS, TESTS: only the unit tests of these packages, only these end-to-end tests; all of them unless named.
# SKIPS: where tests note what they could not try. BUILT: the programs with their symbols, for the tests that look at those.
SKIPS = $(TARGET)/skips
# End-to-end tests wait more than they work: so many at once, or one a processor if that is more.
THREADS = $(shell n=$$(nproc 2>/dev/null || echo 1); echo $$((n > 6 ? n : 6)))
# nohup(1), and a shell for its background, ignore signals that the tests send.
HEED = env --default-signal=HUP,INT,QUIT,PIPE
test: all
	@rm -f "$(SKIPS)"; export SKIPS="$(SKIPS)" BUILT="$(BUILT)"; failed=; \
	$(HEED) $(CARGO) test --locked --no-fail-fast --target-dir "$(TARGET)" $(or $(UNITS:%=-p %),--workspace --exclude tests) || failed=1; \
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$(THREADS)} \
	$(HEED) $(CARGO) test --locked --no-fail-fast --target-dir "$(TARGET)" -p tests $(TESTS:%=--test %) || failed=1; \
	if test -s "$(SKIPS)"; then echo "Not tried here:"; sort -u "$(SKIPS)"; fi; \
	if test "$$failed"; then echo "make test: failed"; exit 1; else echo "make test: all passed"; fi

# The trials that make test runs in their short form. STORM_SEED=... repeats one.
STORMS = storm pop3_storm multilog_storm multilog_beside
storm: all
	@STORM=$${STORM:-10000} $(HEED) $(CARGO) test --locked --target-dir "$(TARGET)" -p tests $(STORMS:%=--test %) -- --nocapture

SECONDS = 60
BRIEF = $(SECONDS)
JOBS = 2
TARGETS =
fuzz:
	@fuzz/run "$(SECONDS)" "$(BRIEF)" "$(JOBS)" $(TARGETS)

bench: all
	@bench/run

clean:
	rm -rf target command
