//! A closed-loop load over keep-alive HTTP/1.1 connections: each connection sends its next request when the response to
//! the previous one is complete. The code is small so that it uses little of the two cores that it shares with
//! the measured server.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// A request that is sent repeatedly.
#[derive(Debug, Clone)]
pub struct Load {
    /// Address of the server.
    pub addr: SocketAddr,
    /// The complete request with headers and body.
    pub request: Vec<u8>,
    /// Number of concurrent connections.
    pub connections: usize,
    /// Duration of the load.
    pub duration: Duration,
}

/// The result of a load.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Responses with status 200 per second.
    pub per_second: f64,
    /// Median response time.
    pub p50: Duration,
    /// 99th percentile of the response times.
    pub p99: Duration,
    /// Number of responses with any other status.
    pub refused: usize,
}

/// Sends the load and measures the responses.
///
/// # Errors
/// When a connection cannot be opened or breaks.
pub async fn run(load: &Load) -> std::io::Result<Measured> {
    let started = Instant::now();
    let tasks: Vec<_> = (0..load.connections).map(|_| tokio::spawn(connection(load.clone(), started))).collect();
    let mut times = Vec::new();
    let mut refused = 0;
    for task in tasks {
        let (own, other) = task.await.map_err(std::io::Error::other)??;
        times.extend(own);
        refused += other;
    }
    let elapsed = started.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1)));
    let at = |share| at(share).copied().unwrap_or_default();
    Ok(Measured { per_second: times.len() as f64 / elapsed, p50: at(0.5), p99: at(0.99), refused })
}

async fn connection(load: Load, started: Instant) -> std::io::Result<(Vec<Duration>, usize)> {
    let mut connection = Connection::open(load.addr).await?;
    let (mut times, mut refused) = (Vec::new(), 0);
    while started.elapsed() < load.duration {
        let sent = Instant::now();
        match connection.exchange(&load.request).await?.0 {
            200 => times.push(sent.elapsed()),
            _ => refused += 1,
        }
    }
    Ok((times, refused))
}

/// A response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

/// A keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// When the server does not accept the connection.
    pub async fn open(addr: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Opens a connection from an address of this machine.
    ///
    /// # Errors
    /// When the address cannot be used, or the server does not accept the connection.
    pub async fn open_from(source: IpAddr, addr: SocketAddr) -> std::io::Result<Self> {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind(SocketAddr::new(source, 0))?;
        let stream = socket.connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a complete request and waits for the complete response.
    ///
    /// # Errors
    /// When the connection breaks, or the response has no length.
    pub async fn send(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        let (status, body) = self.exchange(request).await?;
        Ok(Answer { status, body: self.buffer[body..].to_vec() })
    }

    /// The status code and the position of the body in the buffer.
    async fn exchange(&mut self, request: &[u8]) -> std::io::Result<(u16, usize)> {
        self.stream.write_all(request).await?;
        let status = answer(&mut self.stream, &mut self.buffer).await?;
        let head = self.buffer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_default();
        Ok((status, head + 4))
    }
}

/// Reads one response into `buffer` and returns its status code.
///
/// # Errors
/// When the connection ends early, or the bytes are not an HTTP response.
pub async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<u16> {
    buffer.clear();
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        read_more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).to_ascii_lowercase();
    let bad = || std::io::Error::other(format!("cannot parse the response: {head}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(bad)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).ok_or_else(bad)?;
    let length: usize = length.trim().parse().map_err(|_| bad())?;
    while buffer.len() < head_end + length {
        read_more(stream, buffer).await?;
    }
    Ok(status)
}

async fn read_more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    match stream.read_buf(buffer).await? {
        0 => Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the server closed the connection")),
        _ => Ok(()),
    }
}

/// The bytes of a POST request with a JSON body.
pub fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The bytes of a GET request.
pub fn get(path: &str, key: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n\r\n").into_bytes()
}
