//! One connection at work: a state machine that writes, reads, and takes the next arrival itself
//! while there is a backlog, so that under load nothing stands between a reply and the next request.

use super::pool::SlotId;
use super::world::{Shared, World};
use crate::measure::ErrorKind;
use crate::transport::Stream;
use crate::wire::ResponseParser;
use std::task::{Context, Poll};

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
}

/// The connection is no longer usable; what was in flight has been recorded.
pub struct Lost;

impl Connection {
    /// A connection for a slot of this world.
    pub fn new(world: Shared, id: SlotId, stream: Stream) -> Connection {
        let collect = world.borrow().source.wants_response();
        Connection {
            world,
            id,
            stream,
            parser: ResponseParser::new(collect),
            out: Vec::new(),
            written: 0,
            is_flushing: false,
        }
    }

    /// Works until the connection is lost.
    pub async fn work(mut self) -> Lost {
        let shared = self.world.clone();
        std::future::poll_fn(move |cx| self.poll(cx, &mut shared.borrow_mut())).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, world: &mut World) -> Poll<Lost> {
        world.turns += 1;
        if world.pool.slot(self.id).abort {
            world.lose(self.id, ErrorKind::Aborted, "given up after --abort-after");
            return Poll::Ready(Lost);
        }
        loop {
            let wrote = match self.poll_write(cx, world) {
                Ok(wrote) => wrote,
                Err(lost) => return Poll::Ready(lost),
            };
            let read = match self.poll_read(cx, world) {
                Ok(read) => read,
                Err(lost) => return Poll::Ready(lost),
            };
            let took = self.take_work(world);
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

    /// Whether anything was written.
    fn poll_write(&mut self, cx: &mut Context<'_>, world: &mut World) -> Result<bool, Lost> {
        if self.out.is_empty() {
            return self.poll_flush(cx, world).map(|()| false);
        }
        match self.stream.poll_write(cx, &self.out[self.written..]) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(count)) if count > 0 => {
                self.written += count;
                if self.written == self.out.len() {
                    self.out.clear();
                    self.written = 0;
                }
                self.is_flushing = true;
                self.poll_flush(cx, world).map(|()| true)
            }
            Poll::Ready(outcome) => {
                let why = outcome
                    .err()
                    .map_or_else(|| "closed".to_owned(), |error| error.to_string());
                world.lose(self.id, ErrorKind::Write, &why);
                Err(Lost)
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>, world: &mut World) -> Result<(), Lost> {
        if !self.is_flushing {
            return Ok(());
        }
        match self.stream.poll_flush(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(())) => {
                self.is_flushing = false;
                Ok(())
            }
            Poll::Ready(Err(error)) => {
                world.lose(self.id, ErrorKind::Write, &error.to_string());
                Err(Lost)
            }
        }
    }

    /// Whether anything was read.
    fn poll_read(&mut self, cx: &mut Context<'_>, world: &mut World) -> Result<bool, Lost> {
        let mut buffer = std::mem::take(&mut world.read_buffer);
        let outcome = match self.stream.poll_read(cx, &mut buffer) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err(self.closed_by_peer(world)),
            Poll::Ready(Ok(count)) => self.receive(world, &buffer[..count]).map(|()| true),
            Poll::Ready(Err(error)) => {
                world.lose(self.id, ErrorKind::Read, &error.to_string());
                Err(Lost)
            }
        };
        world.read_buffer = buffer;
        outcome
    }

    fn receive(&mut self, world: &mut World, mut bytes: &[u8]) -> Result<(), Lost> {
        let now = world.clock.now();
        world.recorder.bytes(now, bytes.len() as u64);
        while !bytes.is_empty() {
            let Some(request) = world.pool.slot(self.id).in_flight.front_mut() else {
                // A reply that nobody asked for, such as a 408 before an idle connection is closed.
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
                world.deliver(self.id, end, now, &self.parser);
                if !end.keep_alive {
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

    fn closed_by_peer(&mut self, world: &mut World) -> Lost {
        let now = world.clock.now();
        let why = match self.parser.close() {
            Ok(Some(end)) => {
                world.deliver(self.id, end, now, &self.parser);
                "the server closed after an earlier reply".to_owned()
            }
            Ok(None) => "the server closed the connection before it replied".to_owned(),
            Err(bad) => bad.to_string(),
        };
        world.lose(self.id, ErrorKind::Read, &why);
        Lost
    }

    /// Takes an arrival if one is due and there is room; else lets the dispatcher know of the room.
    fn take_work(&mut self, world: &mut World) -> bool {
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
        world.generate(self.id, arrival, &mut self.out)
    }

    fn is_assigned(&self, world: &mut World) -> bool {
        world.pool.slot(self.id).assigned.is_some()
    }
}
