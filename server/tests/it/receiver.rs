//! A webhook endpoint with threads of its own, which outlives the servers that send to it. It records each
//! delivery and which server's lifetime it arrived in.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::Value;

/// Path of the request that waits until all earlier requests are recorded.
const SETTLE: &str = "/settle";

/// One request.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Number of the server's lifetime, from 0.
    pub life: usize,
    pub delivery: String,
    pub event: String,
    pub conversation: String,
    pub body: Vec<u8>,
    /// The headers with lower-case names.
    pub headers: HashMap<String, String>,
}

#[derive(Default)]
struct State {
    life: usize,
    /// Number of connections that are being read.
    open: usize,
    arrivals: Vec<Arrival>,
}

/// A running endpoint. It runs until the process of the test ends.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::<(Mutex<State>, Condvar)>::default();
        let kept = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                lock(&kept.0).open += 1;
                let kept = Arc::clone(&kept);
                thread::spawn(move || {
                    // A broken connection belonged to a server that was killed.
                    let _ = serve(stream, &kept.0);
                    lock(&kept.0).open -= 1;
                    kept.1.notify_all();
                });
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Waits until everything that a killed server sent is recorded. Later requests belong to the next lifetime.
    pub fn next_life(&self) {
        // Connections are accepted in order, so no connection of the killed server comes after this one.
        let mut last = TcpStream::connect(self.address).expect("the endpoint listens");
        write!(last, "GET {SETTLE} HTTP/1.1\r\nConnection: close\r\n\r\n").expect("sent");
        last.read_to_end(&mut Vec::new()).expect("an answer");
        drop(last);
        let mut state = lock(&self.shared.0);
        while state.open > 0 {
            state = self.shared.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.life += 1;
    }

    /// All recorded requests in the order of arrival.
    pub fn arrivals(&self) -> Vec<Arrival> {
        lock(&self.shared.0).arrivals.clone()
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut answers = stream.try_clone()?;
    let mut requests = BufReader::new(stream);
    while let Some((path, headers, body)) = read_request(&mut requests)? {
        if path != SETTLE {
            let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
            let json: Value = serde_json::from_slice(&body).unwrap_or_default();
            let conversation = json["data"]["conversationId"].as_str().unwrap_or_default().to_owned();
            let mut state = lock(state);
            let (life, delivery, event) = (state.life, header("x-helpbot-delivery"), header("x-helpbot-event"));
            state.arrivals.push(Arrival { life, delivery, event, conversation, body, headers });
        }
        answers.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
        if path == SETTLE {
            return Ok(());
        }
    }
    Ok(())
}

type Request = (String, HashMap<String, String>, Vec<u8>);

/// The next complete request. `None` at the end of the connection, even within a request.
fn read_request(from: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut first = String::new();
    if from.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Some((path, headers, body)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
