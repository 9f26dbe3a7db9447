//! A PostgreSQL server of its own, and the network between it and the nodes. As root, the server has a network namespace, and
//! the packets of its answers are dropped there; otherwise a proxy drops what it carries.

use std::net::SocketAddr;
use std::process::Command;

use helpbot_tests::cluster::Cluster;
use helpbot_tests::proxy::Proxy;

/// A running server.
pub struct DatabaseServer {
    // Dropped before its namespace.
    cluster: Cluster,
    network: Network,
    /// URL for the nodes.
    pub url: String,
}

enum Network {
    Namespace(Namespace),
    Proxy(Proxy),
}

impl DatabaseServer {
    /// Starts a server. `None` where the tests have no PostgreSQL at all.
    pub async fn start() -> Option<Self> {
        if let Some(namespace) = Namespace::create() {
            let cluster = Cluster::start_in(Some(&namespace.name), &["--listen", &namespace.server])?;
            let url = cluster.server().replace("127.0.0.1", &namespace.server);
            return Some(Self { cluster, network: Network::Namespace(namespace), url });
        }
        eprintln!("no rights to create a network namespace: a proxy drops the packets");
        let cluster = Cluster::start()?;
        let server: SocketAddr = format!("127.0.0.1:{}", cluster.port()).parse().expect("an address");
        let (proxy, address) = Proxy::listening("127.0.0.1:0".parse().expect("an address"), server).await;
        let url = format!("postgres://postgres@{address}/postgres");
        Some(Self { cluster, network: Network::Proxy(proxy), url })
    }

    /// The server itself.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Begins or ends to drop all packets of the server.
    pub fn drop_packets(&self, begins: bool) {
        match &self.network {
            Network::Namespace(namespace) => namespace.drop_packets(begins),
            Network::Proxy(proxy) => proxy.drop_all(begins),
        }
    }
}

/// A network namespace with a way to this one.
struct Namespace {
    name: String,
    /// Address in the namespace.
    server: String,
    /// Address on this side.
    nodes: String,
}

impl Namespace {
    /// `None` without the rights or the program for it.
    fn create() -> Option<Self> {
        let id = std::process::id();
        let (name, net) = (format!("helpbot{id}"), format!("10.213.{}", id % 250));
        let namespace = Self { name, server: format!("{net}.2"), nodes: format!("{net}.1") };
        if !ip(&["netns", "add", &namespace.name]) {
            // There is nothing to remove.
            std::mem::forget(namespace);
            return None;
        }
        let Self { name, server, nodes } = &namespace;
        let (near, far) = (format!("hb{id}a"), format!("hb{id}b"));
        let is_connected = ip(&["link", "add", "name", &near, "type", "veth", "peer", "name", &far, "netns", name])
            && ip(&["addr", "add", &format!("{nodes}/24"), "dev", &near])
            && ip(&["link", "set", &near, "up"])
            && ip(&["-n", name, "addr", "add", &format!("{server}/24"), "dev", &far])
            && ip(&["-n", name, "link", "set", &far, "up"])
            && ip(&["-n", name, "link", "set", "lo", "up"]);
        is_connected.then_some(namespace)
    }

    /// What arrives in the namespace is not answered, not even by its TCP.
    fn drop_packets(&self, begins: bool) {
        let order = if begins { "add" } else { "del" };
        assert!(ip(&["-n", &self.name, "route", order, "blackhole", &format!("{}/32", self.nodes)]), "{order}");
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&["netns", "del", &self.name]);
    }
}

fn ip(arguments: &[&str]) -> bool {
    Command::new("ip").args(arguments).output().is_ok_and(|output| output.status.success())
}
