//! A disk that is full: writes are refused with a reason, reads go on, nothing that was acknowledged is lost, and writes work
//! again when there is space.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::nodes::Node;

/// Size of the disk. The database takes a few megabytes.
const SIZE: &str = "size=48m";
/// Questions after which a full disk must have been noticed.
const NOTICED: usize = 2_000;
const TIME: Duration = Duration::from_secs(10);

/// A file system in memory. It is unmounted when this is dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` without the right to mount.
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(directory.path());
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then(|| Self(directory))
    }

    /// Fills the disk.
    fn fill(&self) {
        let mut file = File::create(self.ballast()).expect("a file");
        while file.write_all(&[0; 64 * 1024]).is_ok() {}
        while file.write_all(&[0; 512]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.ballast()).expect("the file is there");
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.0.path().join("ballast")
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A process that is being killed may still use it.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_and_loses_nothing() {
    let Some(disk) = Disk::mount() else {
        eprintln!("skipped: no right to mount a file system");
        return;
    };
    let node = Node::within(disk.path());
    node.start().await;
    let (widget, secret) = (node.key("wk_live_"), node.key("sk_live_"));
    let mut acknowledged = Vec::new();
    for _ in 0..5 {
        acknowledged.push(node.ask(&widget, "Is there space?", TIME).await.expect("an answer"));
    }

    disk.fill();
    let mut refused = None;
    for _ in 0..NOTICED {
        let body = serde_json::json!({ "question": "Is there still space?" });
        let (status, answer) = node.post(&widget, "/api/v1/chat", &body, TIME).await.expect("a response");
        match answer["conversationId"].as_str() {
            Some(id) => acknowledged.push(id.to_owned()),
            None => {
                refused = Some((status, answer));
                break;
            }
        }
    }
    let (status, answer) = refused.expect("a full disk is noticed");
    let read = node.conversations(&secret).await;
    assert!(matches!(status, 500 | 503 | 507), "{status}: {answer}");
    assert!(acknowledged.iter().all(|id| read.contains(id)), "reads go on");

    disk.free();
    let freed = Instant::now();
    let later = loop {
        if let Some(id) = node.ask(&widget, "Is there space again?", TIME).await {
            break id;
        }
        assert!(freed.elapsed() < TIME, "writes do not work again: {}", node.log());
        sleep(Duration::from_millis(50)).await;
    };
    acknowledged.push(later);
    node.kill().await;
    node.expect_undamaged().await;
    node.start().await;
    let stored = node.conversations(&secret).await;
    assert!(acknowledged.iter().all(|id| stored.contains(id)), "an acknowledged question is lost");
    node.kill().await;
}
