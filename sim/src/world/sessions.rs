//! Which sessions there are between replicas, and who knows of them; how they begin and end is in
//! `connecting`.

/// All sessions.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    pub replicas: usize,
    /// By pair, the lower number first.
    pairs: Vec<Pair>,
    /// By end and peer, the session that the end knows of.
    pub known: Vec<Option<u64>>,
    /// As `known`, once all is heard that waits in the end's inbox.
    pub told: Vec<Option<u64>>,
}

/// The session of two replicas.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pair {
    /// Its number, or the last one's.
    pub number: u64,
    pub open: bool,
}

impl Sessions {
    pub fn new(replicas: usize) -> Self {
        let places = replicas * replicas;
        Self {
            replicas,
            pairs: vec![Pair::default(); places],
            known: vec![None; places],
            told: vec![None; places],
        }
    }

    pub fn pair(&mut self, one: usize, other: usize) -> &mut Pair {
        &mut self.pairs[one.min(other) * self.replicas + one.max(other)]
    }

    pub const fn end(&self, node: usize, peer: usize) -> usize {
        node * self.replicas + peer
    }

    /// Whether what it sends to the peer now is sent in a session that is open.
    pub fn carries(&self, node: usize, peer: usize) -> bool {
        let pair = self.pairs[node.min(peer) * self.replicas + node.max(peer)];
        pair.open && self.known[self.end(node, peer)] == Some(pair.number)
    }
}

#[cfg(test)]
mod tests;
