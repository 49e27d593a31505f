//! One connection at work: a state machine that writes, reads, and takes the next arrival itself
//! while there is a backlog, so that under load nothing stands between a reply and the next request.

use super::pool::{Slot, SlotId};
use super::world::{Shared, World};
use crate::measure::ErrorKind;
use crate::transport::Stream;
use crate::wire::{BadResponse, ResponseParser};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// An open connection and what is under way on it.
pub struct Connection {
    world: Shared,
    id: SlotId,
    stream: Stream,
    parser: ResponseParser,
    out: Vec<u8>,
    written: usize,
    /// What was written is not all with the kernel.
    is_flushing: bool,
    has_answered: bool,
    quota: Quota,
}

/// How a connection ended; what was in flight has been recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It broke, or the server closed it, after some reply.
    Lost,
    /// The same, before any reply.
    Fruitless,
    /// It has carried what it was to carry.
    Planned,
    /// It took nothing any more, but had replies to wait for: another one has its place since then.
    Replaced,
}

impl End {
    /// Of a connection that was not to end.
    pub fn lost(has_answered: bool) -> End {
        match has_answered {
            true => End::Lost,
            false => End::Fruitless,
        }
    }
}

/// The connection broke; what was in flight has been recorded.
struct Lost;

/// How many more requests a connection carries before it is closed.
#[derive(Debug, Clone, Copy)]
pub struct Quota(pub Option<u64>);

impl Quota {
    /// So many were sent.
    #[inline]
    pub fn use_up(&mut self, count: u64) {
        if let Some(left) = &mut self.0 {
            *left = left.saturating_sub(count);
        }
    }

    /// Whether no more are to go over the connection of this slot.
    #[inline]
    pub fn is_used_up(self, slot: &Slot) -> bool {
        self.0 == Some(0) || slot.has_moved
    }
}

impl Connection {
    /// A connection for a slot of this world.
    pub fn new(world: Shared, id: SlotId, stream: Stream, quota: Quota) -> Connection {
        let collect = world.borrow().source.wants_response();
        // What is pipelined is up to the client.
        world.borrow_mut().pool.slot(id).limit = usize::MAX;
        Connection {
            world,
            id,
            stream,
            parser: ResponseParser::new(collect),
            out: Vec::new(),
            written: 0,
            is_flushing: false,
            has_answered: false,
            quota,
        }
    }

    /// Works until the connection ends.
    pub async fn work(mut self) -> End {
        let shared = self.world.clone();
        std::future::poll_fn(move |cx| self.poll(cx, &mut shared.borrow_mut())).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, world: &mut World) -> Poll<End> {
        world.turns += 1;
        if world.pool.slot(self.id).abort {
            world.lose(self.id, ErrorKind::Aborted, "given up after --abort-after");
            // Our own doing, which says nothing of the server's will to answer the next one.
            return Poll::Ready(End::Lost);
        }
        loop {
            let wrote = match self.poll_write(cx) {
                Ok(wrote) => wrote,
                Err(why) => {
                    self.hear_out(cx, world, &why);
                    return Poll::Ready(End::lost(self.has_answered));
                }
            };
            let read = match self.poll_read(cx, world) {
                Ok(read) => read,
                Err(Lost) => return Poll::Ready(End::lost(self.has_answered)),
            };
            let took = self.take_work(world);
            if self.is_over(world) {
                // TLS says farewell; whether it arrives is of no interest any more.
                let _ = Pin::new(&mut self.stream).poll_shutdown(cx);
                return Poll::Ready(End::Planned);
            }
            if !wrote && !read && !took {
                break;
            }
        }
        let slot = world.pool.slot(self.id);
        if !slot
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            slot.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Nothing can be written any more. What the server said before it hung up, such as that a body is
    /// too large, is still read.
    fn hear_out(&mut self, cx: &mut Context<'_>, world: &mut World, why: &str) {
        loop {
            let mut lent = std::mem::take(&mut world.read_buffer);
            let mut buffer = ReadBuf::new(&mut lent);
            let read = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
            let is_heard = matches!(read, Poll::Ready(Ok(())))
                && !buffer.filled().is_empty()
                && self.receive(world, buffer.filled()).is_ok();
            world.read_buffer = lent;
            if !is_heard {
                return world.lose(self.id, ErrorKind::Write, why);
            }
        }
    }

    /// Whether anything was written.
    ///
    /// # Errors
    /// Why nothing can be.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, String> {
        if self.out.is_empty() {
            return self.poll_flush(cx).map(|()| false);
        }
        match Pin::new(&mut self.stream).poll_write(cx, &self.out[self.written..]) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(count)) if count > 0 => {
                self.written += count;
                if self.written == self.out.len() {
                    self.out.clear();
                    self.written = 0;
                }
                self.is_flushing = true;
                self.poll_flush(cx).map(|()| true)
            }
            Poll::Ready(Ok(_)) => Err("closed".to_owned()),
            Poll::Ready(Err(error)) => Err(error.to_string()),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        if !self.is_flushing {
            return Ok(());
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(())) => {
                self.is_flushing = false;
                Ok(())
            }
            Poll::Ready(Err(error)) => Err(error.to_string()),
        }
    }

    /// Whether anything was read.
    fn poll_read(&mut self, cx: &mut Context<'_>, world: &mut World) -> Result<bool, Lost> {
        let mut lent = std::mem::take(&mut world.read_buffer);
        let mut buffer = ReadBuf::new(&mut lent);
        let outcome = match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                self.closed_by_peer(world).map(|()| true)
            }
            Poll::Ready(Ok(())) => self.receive(world, buffer.filled()).map(|()| true),
            Poll::Ready(Err(error)) => {
                world.lose(self.id, ErrorKind::Read, &error.to_string());
                Err(Lost)
            }
        };
        world.read_buffer = lent;
        outcome
    }

    fn receive(&mut self, world: &mut World, mut bytes: &[u8]) -> Result<(), Lost> {
        let now = world.clock.now();
        world.count_bytes(now, bytes.len() as u64);
        while !bytes.is_empty() {
            let Some(request) = world.pool.slot(self.id).in_flight.front_mut() else {
                // A reply that nobody asked for, such as a 408 before an idle connection is closed. Servers
                // of HTTP/2 alone begin to speak by themselves.
                if let Err(bad @ BadResponse::Http2) = self.parser.feed(bytes, false) {
                    world.complain(ErrorKind::Parse, || bad.to_string());
                }
                world.lose(self.id, ErrorKind::Read, "a reply without a request");
                return Err(Lost);
            };
            request.first_byte.get_or_insert(now);
            let is_head = request.is_head;
            let (eaten, end) = match self.parser.feed(bytes, is_head) {
                Ok(fed) => fed,
                Err(bad) => {
                    world.lose(self.id, ErrorKind::Parse, &bad.to_string());
                    return Err(Lost);
                }
            };
            request.bytes += eaten as u64;
            bytes = &bytes[eaten..];
            if let Some(end) = end {
                self.has_answered = true;
                world.deliver(self.id, 0, end.status, now, self.parser.collected());
                if !end.keep_alive {
                    if self.is_over(world) {
                        return Ok(());
                    }
                    world.lose(
                        self.id,
                        ErrorKind::Read,
                        "the server closed after an earlier reply",
                    );
                    return Err(Lost);
                }
            }
        }
        Ok(())
    }

    /// Fails unless that was all that the connection was for.
    fn closed_by_peer(&mut self, world: &mut World) -> Result<(), Lost> {
        let now = world.clock.now();
        let why = match self.parser.close() {
            Ok(Some(end)) => {
                self.has_answered = true;
                world.deliver(self.id, 0, end.status, now, self.parser.collected());
                if self.is_over(world) {
                    return Ok(());
                }
                "the server closed after an earlier reply".to_owned()
            }
            Ok(None) => "the server closed the connection before it replied".to_owned(),
            Err(bad) => bad.to_string(),
        };
        world.lose(self.id, ErrorKind::Read, &why);
        Err(Lost)
    }

    /// Takes an arrival if one is due and there is room; else lets the dispatcher know of the room.
    fn take_work(&mut self, world: &mut World) -> bool {
        if self.quota.is_used_up(world.pool.slot(self.id)) {
            world.close_to_arrivals(self.id);
            return false;
        }
        if !self.out.is_empty() || !(world.pool.has_room(self.id) || self.is_assigned(world)) {
            return false;
        }
        let Some(arrival) = world.next_arrival(self.id) else {
            if world.pool.has_room(self.id) && !world.pool.is_queued(self.id) {
                world.offer(self.id);
            }
            return false;
        };
        world.pool.withdraw(self.id);
        let count = world.generate(self.id, arrival, &mut self.out);
        self.quota.use_up(count.unwrap_or_default());
        count.is_some()
    }

    /// Whether it takes no more, and has brought home what it took.
    fn is_over(&self, world: &mut World) -> bool {
        let slot = world.pool.slot(self.id);
        self.quota.is_used_up(slot) && slot.in_flight.is_empty() && self.out.is_empty()
    }

    fn is_assigned(&self, world: &mut World) -> bool {
        world.pool.slot(self.id).assigned.is_some()
    }
}
