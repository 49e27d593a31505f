//! One HTTP/1.1 connection: a state machine that writes, reads, and takes the next arrival itself
//! while there is a backlog, so that under load nothing stands between a reply and the next request.

use super::lifecycle::{End, RequestBudget};
use super::pool::SlotId;
use super::requests::Requests;
use super::worker_state::{Shared, WorkerState};
use crate::measure::ErrorKind;
use crate::transport::Stream;
use crate::wire::{BadResponse, ResponseParser};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// An open connection with the requests that it has in flight.
pub struct Connection {
    state: Shared,
    id: SlotId,
    stream: Stream,
    parser: ResponseParser,
    requests: Requests<()>,
    /// Requests that are not yet written in full.
    out: Vec<u8>,
    /// How many bytes of `out` are written.
    written: usize,
    /// Whether the stream holds written bytes that the kernel has not taken.
    is_flushing: bool,
    /// Whether any reply has arrived.
    has_answered: bool,
    budget: RequestBudget,
}

/// The connection broke, and its requests have been recorded as failed.
struct Lost;

impl Connection {
    /// Takes over a freshly opened stream for a slot of the pool.
    pub fn new(state: Shared, id: SlotId, stream: Stream, budget: RequestBudget) -> Connection {
        let collect = state.borrow().source.wants_response();
        // With HTTP/1.1 only the pool's depth limits how many requests are pipelined.
        state.borrow_mut().pool.slot(id).limit = usize::MAX;
        Connection {
            requests: Requests::new(state.clone(), id),
            state,
            id,
            stream,
            parser: ResponseParser::new(collect),
            out: Vec::new(),
            written: 0,
            is_flushing: false,
            has_answered: false,
            budget,
        }
    }

    /// Works until the connection ends.
    pub async fn work(mut self) -> End {
        let shared = self.state.clone();
        std::future::poll_fn(move |cx| self.poll(cx, &mut shared.borrow_mut())).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, state: &mut WorkerState) -> Poll<End> {
        state.turns += 1;
        if state.pool.slot(self.id).abort {
            self.fail(state, ErrorKind::Aborted, "given up after --abort-after");
            // Giving up says nothing about whether the server would answer the next request, so the
            // connection is replaced without a back-off.
            return Poll::Ready(End::Lost);
        }
        loop {
            let wrote = match self.poll_write(cx) {
                Ok(wrote) => wrote,
                Err(why) => {
                    self.read_last_replies(cx, state, &why);
                    return Poll::Ready(End::lost(self.has_answered));
                }
            };
            let read = match self.poll_read(cx, state) {
                Ok(read) => read,
                Err(Lost) => return Poll::Ready(End::lost(self.has_answered)),
            };
            let took = self.take_work(state);
            if self.is_over(state) {
                // Send close_notify over TLS; ignore failures.
                let _ = Pin::new(&mut self.stream).poll_shutdown(cx);
                return Poll::Ready(End::Planned);
            }
            if !wrote && !read && !took {
                break;
            }
        }
        let slot = state.pool.slot(self.id);
        if !slot
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            slot.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Reads what the server sent before it closed the connection, such as a reply that a body is too
    /// large, and then records that nothing can be written any more.
    fn read_last_replies(&mut self, cx: &mut Context<'_>, state: &mut WorkerState, why: &str) {
        loop {
            let mut lent = std::mem::take(&mut state.read_buffer);
            let mut buffer = ReadBuf::new(&mut lent);
            let read = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
            let was_read = matches!(read, Poll::Ready(Ok(())))
                && !buffer.filled().is_empty()
                && self.receive(state, buffer.filled()).is_ok();
            state.read_buffer = lent;
            if !was_read {
                return self.fail(state, ErrorKind::Write, why);
            }
        }
    }

    /// Writes what is pending; returns whether anything was written.
    ///
    /// # Errors
    /// The reason why nothing can be written any more.
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

    /// Reads what has arrived; returns whether anything had.
    fn poll_read(&mut self, cx: &mut Context<'_>, state: &mut WorkerState) -> Result<bool, Lost> {
        let mut lent = std::mem::take(&mut state.read_buffer);
        let mut buffer = ReadBuf::new(&mut lent);
        let outcome = match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                self.closed_by_peer(state).map(|()| true)
            }
            Poll::Ready(Ok(())) => self.receive(state, buffer.filled()).map(|()| true),
            Poll::Ready(Err(error)) => {
                self.fail(state, ErrorKind::Read, &error.to_string());
                Err(Lost)
            }
        };
        state.read_buffer = lent;
        outcome
    }

    fn receive(&mut self, state: &mut WorkerState, mut bytes: &[u8]) -> Result<(), Lost> {
        let now = state.clock.now();
        state.count_bytes(now, bytes.len() as u64);
        while !bytes.is_empty() {
            let Some(request) = self.requests.oldest() else {
                // A reply without a request: for example a 408 before an idle connection is closed, or
                // the preface of a server that speaks HTTP/2 only.
                if let Err(bad @ BadResponse::Http2) = self.parser.feed(bytes, false) {
                    state.keep_first_error(ErrorKind::Parse, || bad.to_string());
                }
                self.fail(state, ErrorKind::Read, "a reply without a request");
                return Err(Lost);
            };
            request.first_byte.get_or_insert(now);
            let is_head = request.prepared.is_head;
            let (eaten, end) = match self.parser.feed(bytes, is_head) {
                Ok(fed) => fed,
                Err(bad) => {
                    self.fail(state, ErrorKind::Parse, &bad.to_string());
                    return Err(Lost);
                }
            };
            request.bytes += eaten as u64;
            bytes = &bytes[eaten..];
            if let Some(end) = end {
                self.has_answered = true;
                self.requests
                    .deliver(state, 0, end.status, now, self.parser.collected());
                if !end.keep_alive {
                    if self.is_over(state) {
                        return Ok(());
                    }
                    let why = "the server closed after an earlier reply";
                    self.fail(state, ErrorKind::Read, why);
                    return Err(Lost);
                }
            }
        }
        Ok(())
    }

    /// The server has closed the connection; that is an error unless it was over anyway.
    fn closed_by_peer(&mut self, state: &mut WorkerState) -> Result<(), Lost> {
        let now = state.clock.now();
        let why = match self.parser.close() {
            Ok(Some(end)) => {
                self.has_answered = true;
                self.requests
                    .deliver(state, 0, end.status, now, self.parser.collected());
                if self.is_over(state) {
                    return Ok(());
                }
                "the server closed after an earlier reply".to_owned()
            }
            Ok(None) => "the server closed the connection before it replied".to_owned(),
            Err(bad) => bad.to_string(),
        };
        self.fail(state, ErrorKind::Read, &why);
        Err(Lost)
    }

    /// Sends the next arrival if one is due and there is room, and otherwise offers the room to the
    /// dispatcher. Returns whether anything is to be written.
    fn take_work(&mut self, state: &mut WorkerState) -> bool {
        if self.is_closing(state) {
            state.close_to_arrivals(self.id);
            return false;
        }
        let has_room = state.pool.has_room(self.id);
        if !self.out.is_empty() || !(has_room || state.pool.slot(self.id).assigned.is_some()) {
            return false;
        }
        let Some(arrival) = state.next_arrival(self.id) else {
            if state.pool.has_room(self.id) && !state.pool.is_queued(self.id) {
                state.offer(self.id);
            }
            return false;
        };
        state.pool.withdraw(self.id);
        let count = self
            .requests
            .generate(state, arrival, &mut self.out, |_| ());
        self.budget.spend(count.unwrap_or_default());
        count.is_some()
    }

    fn fail(&mut self, state: &mut WorkerState, kind: ErrorKind, why: &str) {
        self.requests.fail_connection(state, kind, why);
    }

    /// Whether the connection takes no more requests.
    fn is_closing(&self, state: &mut WorkerState) -> bool {
        self.budget.is_used_up() || state.pool.slot(self.id).has_moved
    }

    /// Whether the connection takes no more requests, and all replies have arrived.
    fn is_over(&self, state: &mut WorkerState) -> bool {
        self.is_closing(state) && self.requests.is_empty() && self.out.is_empty()
    }
}
