//! The source of requests: one fixed text, or a script.

use super::in_flight::Prepared;
use crate::measure::{Recorder, RouteId};
use crate::script::{ScriptError, WorkerScript};
use crate::units::Nanos;
use crate::wire::{BadRequest, CollectedReply, fold_route, requests_in};
use std::net::SocketAddr;

/// The source of a worker's requests.
pub struct Source {
    script: Option<WorkerScript>,
    fixed: Option<Fixed>,
    /// The requests that were generated last.
    batch: Vec<Prepared>,
    route: String,
    /// Whether a script may return several requests to be pipelined.
    takes_batches: bool,
}

/// A request that never changes.
struct Fixed {
    bytes: Vec<u8>,
    is_head: bool,
    /// `None` until the recorder has numbered the route.
    route: Option<RouteId>,
}

impl Source {
    /// A source that gives the same bytes every time. The script, if any, only sees responses.
    ///
    /// # Errors
    /// [`BadRequest`] when the bytes are not one whole request.
    pub fn fixed(bytes: Vec<u8>, script: Option<WorkerScript>) -> Result<Source, BadRequest> {
        let head = requests_in(&bytes)
            .next()
            .unwrap_or(Err(BadRequest::Empty))?;
        let mut route = String::new();
        fold_route(head.method, head.target, &mut route);
        let is_head = head.is_head();
        Ok(Source {
            script,
            fixed: Some(Fixed {
                bytes,
                is_head,
                route: None,
            }),
            batch: Vec::new(),
            route,
            takes_batches: true,
        })
    }

    /// A source that calls the script's `request()` each time. It returns one request, or a batch where
    /// `takes_batches` allows that.
    pub fn scripted(script: WorkerScript, takes_batches: bool) -> Source {
        Source {
            script: Some(script),
            fixed: None,
            batch: Vec::new(),
            route: String::new(),
            takes_batches,
        }
    }

    /// Appends the next batch to `out`; [`Source::batch`] then describes its requests.
    ///
    /// # Errors
    /// [`ScriptError`] when the script fails or returns something that is not HTTP.
    #[inline]
    pub fn generate(
        &mut self,
        out: &mut Vec<u8>,
        recorder: &mut Recorder,
    ) -> Result<(), ScriptError> {
        self.batch.clear();
        if let Some(fixed) = &mut self.fixed {
            let route = *fixed
                .route
                .get_or_insert_with(|| recorder.route(&self.route));
            out.extend_from_slice(&fixed.bytes);
            self.batch.push(Prepared {
                route,
                is_head: fixed.is_head,
                ends_batch: true,
            });
            return Ok(());
        }
        let Some(script) = &mut self.script else {
            return Ok(());
        };
        let start = out.len();
        script.request(out)?;
        let label = script.take_label();
        let refused = |bad: BadRequest| ScriptError::new(format!("request(): {bad}"));
        for head in requests_in(&out[start..]) {
            let head = head.map_err(refused)?;
            let route = match &label {
                Some(label) => recorder.route(label),
                None => {
                    self.route.clear();
                    fold_route(head.method, head.target, &mut self.route);
                    recorder.route(&self.route)
                }
            };
            self.batch.push(Prepared {
                route,
                is_head: head.is_head(),
                ends_batch: false,
            });
        }
        if let Some(last) = self.batch.last_mut() {
            last.ends_batch = true;
        }
        let count = self.batch.len();
        if count > 1 && !self.takes_batches {
            return Err(refused(BadRequest::Pipelined(count)));
        }
        Ok(())
    }

    /// The requests of the batch that was generated last.
    #[inline]
    pub fn batch(&self) -> &[Prepared] {
        &self.batch
    }

    /// Whether the script has a `response()`.
    #[inline]
    pub fn wants_response(&self) -> bool {
        self.script
            .as_ref()
            .is_some_and(WorkerScript::wants_response)
    }

    /// Shows the script a response; `Some` when it called `wrk.fail`.
    ///
    /// # Errors
    /// [`ScriptError`] when `response()` fails.
    pub fn response(
        &mut self,
        status: u16,
        collected: &CollectedReply,
    ) -> Result<Option<String>, ScriptError> {
        match &mut self.script {
            Some(script) => script.response(status, &collected.headers, &collected.body),
            None => Ok(None),
        }
    }

    /// Whether the script has a `delay()`, which moves due times.
    #[inline]
    pub fn has_delay(&self) -> bool {
        self.script.as_ref().is_some_and(WorkerScript::has_delay)
    }

    /// By how much the script delays the next arrival.
    ///
    /// # Errors
    /// [`ScriptError`] when `delay()` fails.
    pub fn delay(&mut self) -> Result<Nanos, ScriptError> {
        self.script
            .as_mut()
            .map_or(Ok(Nanos::ZERO), WorkerScript::delay)
    }

    /// The address that the script chose for this worker (`thread.addr`).
    pub fn address(&self) -> Option<SocketAddr> {
        self.script.as_ref().and_then(WorkerScript::addr)
    }

    /// Whether the script has stopped this worker (`thread:stop()`).
    pub fn stopped(&self) -> bool {
        self.script.as_ref().is_some_and(WorkerScript::stopped)
    }

    /// The script's state, which `done` may still ask for variables.
    pub fn into_script(self) -> Option<WorkerScript> {
        self.script
    }
}
