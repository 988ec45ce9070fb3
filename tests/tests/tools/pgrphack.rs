//! pgrphack, beside Debian's.

use crate::Bench;

#[test]
fn a_group_and_session_of_its_own() {
    let ids = "read pid comm state ppid pgrp session rest < /proc/$$/stat; \
               [ $pgrp = $$ ] && echo own group; [ $session = $$ ] && echo own session";
    Bench::new("pgrphack").agree(&[
        "pgrphack",
        "pgrphack nosuch",
        "pgrphack -z",
        &format!("sh -c \"{ids}\""),
        &format!("pgrphack sh -c '{ids}'"),
        // Already a leader: nothing to be done, and nothing said.
        &format!("setsid -w pgrphack sh -c '{ids}'"),
        &format!("setsid -w pgrphack pgrphack sh -c '{ids}'"),
        &format!("bash -mc \"pgrphack sh -c '{ids}'\""),
    ]);
    let ours = Bench::new("pgrphack");
    ours.says(&format!("pgrphack sh -c '{ids}'"), "own group\nown session\n", "", 0);
    ours.hands_on_everything_else("pgrphack");
}
