//! A mail server that accepts everything and keeps it, and a test server that sends its mail there.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use helpbot_outbound::SmtpSettings;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{TestApp, wait_for};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The secret with which received mails are handed over.
pub const INBOUND_SECRET: &str = "a secret of the mail server";

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// The recipient of the envelope.
    pub to: String,
    /// Headers and body, in which the line breaks of quoted-printable are removed.
    pub text: String,
}

impl Arrived {
    /// The value of a header, without the lines that continue it.
    pub fn header(&self, name: &str) -> &str {
        let found = self.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found.unwrap_or_else(|| panic!("no header {name}: {}", self.text))
    }

    /// The code in the subject.
    pub fn code(&self) -> String {
        let subject = self.header("Subject");
        let code: String = subject.chars().take_while(char::is_ascii_digit).collect();
        assert_eq!(code.len(), 6, "{subject}");
        code
    }
}

/// A running mail server; it ends when this is dropped.
pub struct MailServer {
    url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    task: JoinHandle<()>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl MailServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let arrived = Arc::<Mutex<Vec<Arrived>>>::default();
        let kept = arrived.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                tokio::spawn(async move { serve(stream, &kept).await.ok() });
            }
        });
        Self { url, arrived, task }
    }

    /// Settings of a server that sends its mail here.
    pub fn smtp(&self) -> SmtpSettings {
        SmtpSettings {
            url: self.url.clone(),
            from: "HelpBot <help@shop.example>".into(),
            may_send_password_unencrypted: false,
            authorities: Vec::new(),
        }
    }

    /// Everything that has arrived so far, oldest first.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `count` mails have arrived, and returns all of them.
    pub async fn first(&self, count: usize) -> Vec<Arrived> {
        wait_for("a mail", async || Some(self.arrived()).filter(|arrived| arrived.len() >= count)).await
    }
}

async fn serve(stream: TcpStream, kept: &Mutex<Vec<Arrived>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 here\r\n").await?;
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = match line.trim_end() {
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let text = data(&mut stream).await?;
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(Arrived { to: std::mem::take(&mut to), text });
                "250 ok"
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n").await,
            hello if hello.starts_with("EHLO") => "250-here\r\n250 8BITMIME",
            recipient if recipient.starts_with("RCPT TO:<") => {
                to = recipient["RCPT TO:<".len()..].trim_end_matches('>').to_owned();
                "250 ok"
            }
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

async fn data(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
            let (headers, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
            return Ok(format!("{headers}\r\n\r\n{}", body.replace("=\r\n", "")).replace("\r\n", "\n"));
        }
        text += &line;
    }
}

/// Runs `test` on a server that sends its mail to a mail server, over SQLite and over PostgreSQL where there
/// is one.
pub async fn on(database: Option<TestDatabase>, test: impl AsyncFnOnce(&TestApp, &MailServer)) {
    database::with(database, async |database: &TestDatabase| {
        let mail = MailServer::start().await;
        let app = TestApp::start_with(database, |settings, _| {
            settings.smtp = Some(mail.smtp());
            settings.inbound_mail_domain = Some("reply.shop.example".into());
            settings.inbound_mail_secret = Some(INBOUND_SECRET.into());
        })
        .await;
        let outcome = AssertUnwindSafe(test(&app, &mail)).catch_unwind().await;
        app.stop().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    })
    .await;
}

/// Makes two tests of each function: `name::sqlite` and `name::postgres`. The functions are
/// `async fn name(app: &TestApp, mail: &MailServer)`.
macro_rules! on_both_with_mail {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                crate::mail_server::on(Some(helpbot_tests::database::TestDatabase::sqlite()), super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                crate::mail_server::on(helpbot_tests::database::TestDatabase::postgres().await, super::$name).await;
            }
        }
    )+};
}
pub(crate) use on_both_with_mail;
