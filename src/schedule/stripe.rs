//! Divides the arrivals among the workers.

/// One worker's share of a schedule. Arrival `seq` belongs to connection slot `seq mod connections`,
/// and slots are assigned to workers in turn. So load follows connections, and all workers together
/// serve the whole schedule, however many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stripe {
    connections: u64,
    workers: u64,
    worker: u64,
}

impl Stripe {
    /// The share of `worker` (from 0) among `workers`, with `connections` slots in all.
    /// Both counts are taken as at least 1, and there are never more workers than connections.
    pub fn new(connections: usize, workers: usize, worker: usize) -> Stripe {
        let connections = connections.max(1) as u64;
        Stripe {
            connections,
            workers: (workers.max(1) as u64).min(connections),
            worker: worker as u64,
        }
    }

    /// The whole schedule.
    pub fn whole() -> Stripe {
        Stripe::new(1, 1, 0)
    }

    /// Which worker serves the arrival `seq`.
    #[inline]
    pub fn worker_of(&self, seq: u64) -> u64 {
        (seq % self.connections) % self.workers
    }

    /// Whether the arrival `seq` belongs to this share.
    #[inline]
    pub fn owns(&self, seq: u64) -> bool {
        self.worker_of(seq) == self.worker
    }

    /// How many of `total` connection slots belong to this worker.
    pub fn share_of(&self, total: usize) -> usize {
        let total = total as u64;
        let extra = u64::from(self.worker < total % self.workers);
        (total / self.workers + extra) as usize
    }
}
