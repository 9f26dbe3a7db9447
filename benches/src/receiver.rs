//! A minimal webhook endpoint. It records each request with its time and responds with 204, or misbehaves in a chosen
//! way.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Size of the pieces of an endless response.
const FLOOD: [u8; 16 * 1024] = [b'x'; 16 * 1024];

/// How the endpoint responds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It responds immediately with 204.
    Prompt,
    /// It never responds.
    Silent,
    /// It sends its headers at one byte per second.
    Dripping,
    /// It responds with 200 and a body of 10 GB.
    Endless,
}

/// The received bodies with their times.
type Arrivals = Arc<Mutex<Vec<(Instant, Vec<u8>)>>>;

/// A running endpoint. It ends with its runtime.
pub struct Receiver {
    /// Address that it listens on.
    pub addr: SocketAddr,
    arrivals: Arrivals,
    open: Arc<AtomicUsize>,
    is_closed: watch::Sender<bool>,
}

impl Receiver {
    /// Starts an endpoint on a free port.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(manner: Manner) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (arrivals, open) = (Arrivals::default(), Arc::new(AtomicUsize::new(0)));
        let (is_closed, closed) = watch::channel(false);
        let (kept, count) = (Arc::clone(&arrivals), Arc::clone(&open));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, count, mut closed) = (Arc::clone(&kept), Arc::clone(&count), closed.clone());
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    tokio::select! {
                        _ = serve(stream, &kept, manner) => {}
                        // This fails when the receiver has been dropped, and then nobody waits for it.
                        _ = closed.wait_for(|is_closed| *is_closed) => {}
                    }
                    count.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Ok(Self { addr, arrivals, open, is_closed })
    }

    /// Number of bodies received since they were last taken.
    pub fn count(&self) -> usize {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes the received bodies with their times.
    pub fn take(&self) -> Vec<(Instant, Vec<u8>)> {
        std::mem::take(&mut *self.arrivals.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Closes all connections, and every new one from now on.
    pub fn close(&self) {
        self.is_closed.send_replace(true);
    }

    /// Number of open connections.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// Responds to the requests of one connection until it ends.
async fn serve(mut stream: TcpStream, arrivals: &Arrivals, manner: Manner) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    while let Some(body) = request(&mut stream, &mut buffer).await? {
        arrivals.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), body));
        match manner {
            Manner::Prompt => stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?,
            Manner::Silent => std::future::pending().await,
            Manner::Dripping => drip(&mut stream).await?,
            Manner::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n").await?;
                loop {
                    stream.write_all(&FLOOD).await?;
                }
            }
        }
    }
    Ok(())
}

/// Sends endless headers at one byte per second.
async fn drip(stream: &mut TcpStream) -> std::io::Result<()> {
    for byte in b"HTTP/1.1 200 OK\r\nx-patience: ".iter().chain(std::iter::repeat(&b'.')) {
        stream.write_all(&[*byte]).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// The body of the next request. `None` when the connection has ended.
async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Vec<u8>>> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    while buffer.len() < head_end + length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let body = buffer[head_end..head_end + length].to_vec();
    buffer.drain(..head_end + length);
    Ok(Some(body))
}
