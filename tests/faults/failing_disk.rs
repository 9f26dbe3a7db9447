//! A disk that does not store what it was given: a library in front of the system's makes `fsync` and `fdatasync` fail. No
//! write is acknowledged then, and those before and after are there.

use std::time::Duration;

use crate::nodes::Node;
use crate::preloaded;

const TIME: Duration = Duration::from_secs(10);

/// Fails while the file that `FAILING_DISK` names exists.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(void) {
    const char *file = getenv("FAILING_DISK");
    return file && access(file, F_OK) == 0;
}

int fsync(int file) {
    static int (*real)(int);
    if (fails()) { errno = EIO; return -1; }
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    return real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (fails()) { errno = EIO; return -1; }
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    return real(file);
}
"#;

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_that_the_disk_did_not_store() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let switch = directory.path().join("fails");
    let mut node = Node::alone();
    node.set("LD_PRELOAD", &preloaded::compile(directory.path(), "failing_disk", LIBRARY));
    node.set("FAILING_DISK", &switch.to_string_lossy());
    node.start().await;
    let (widget, secret) = (node.key("wk_live_"), node.key("sk_live_"));
    let mut acknowledged = Vec::new();
    for _ in 0..5 {
        acknowledged.push(node.ask(&widget, "Does the disk work?", TIME).await.expect("an answer"));
    }

    std::fs::write(&switch, "").expect("written");
    for _ in 0..5 {
        assert_eq!(node.ask(&widget, "Does the disk still work?", TIME).await, None, "it was not stored");
    }
    let read = node.conversations(&secret).await;
    assert!(acknowledged.iter().all(|id| read.contains(id)), "reads go on");
    node.kill().await;
    std::fs::remove_file(&switch).expect("removed");

    node.expect_undamaged().await;
    node.start().await;
    acknowledged.push(node.ask(&widget, "Does the disk work again?", TIME).await.expect("an answer"));
    let stored = node.conversations(&secret).await;
    assert!(acknowledged.iter().all(|id| stored.contains(id)), "an acknowledged question is lost");
    node.kill().await;
}
