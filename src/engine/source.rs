//! Where requests come from: one fixed text, or a script.

use super::pool::InFlight;
use crate::measure::{Recorder, RouteId, Sending};
use crate::script::{ScriptError, WorkerScript};
use crate::units::Nanos;
use crate::wire::{BadRequest, Collected, fold_route, requests_in};
use std::collections::VecDeque;
use std::net::SocketAddr;

/// The source of a worker's requests.
pub struct Source {
    script: Option<WorkerScript>,
    fixed: Option<Fixed>,
    route: String,
    /// Whether a script may return several requests to be pipelined.
    takes_batches: bool,
}

struct Fixed {
    bytes: Vec<u8>,
    is_head: bool,
    route: Option<RouteId>,
}

impl Source {
    /// The same bytes every time.
    ///
    /// # Errors
    /// [`BadRequest`] when they are not one whole request.
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
            route,
            takes_batches: true,
        })
    }

    /// What the script's `request()` returns: one request, or a batch where these are taken.
    pub fn scripted(script: WorkerScript, takes_batches: bool) -> Source {
        Source {
            script: Some(script),
            fixed: None,
            route: String::new(),
            takes_batches,
        }
    }

    /// Appends the next batch to `out` and its requests to `in_flight`.
    ///
    /// # Errors
    /// [`ScriptError`] when the script fails or returns what is not HTTP.
    #[inline]
    pub fn next(
        &mut self,
        out: &mut Vec<u8>,
        sending: Sending,
        in_flight: &mut VecDeque<InFlight>,
        recorder: &mut Recorder,
    ) -> Result<(), ScriptError> {
        let request = |route, is_head, ends_batch| InFlight {
            sending,
            route,
            is_head,
            ends_batch,
            first_byte: None,
            bytes: 0,
        };
        if let Some(fixed) = &mut self.fixed {
            let route = *fixed
                .route
                .get_or_insert_with(|| recorder.route(&self.route));
            out.extend_from_slice(&fixed.bytes);
            in_flight.push_back(request(route, fixed.is_head, true));
            return Ok(());
        }
        let Some(script) = &mut self.script else {
            return Ok(());
        };
        let start = out.len();
        let before = in_flight.len();
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
            in_flight.push_back(request(route, head.is_head(), false));
        }
        if let Some(last) = in_flight.back_mut() {
            last.ends_batch = true;
        }
        let count = in_flight.len() - before;
        if count > 1 && !self.takes_batches {
            return Err(refused(BadRequest::Pipelined(count)));
        }
        Ok(())
    }

    /// Whether the script looks at responses.
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
        collected: &Collected,
    ) -> Result<Option<String>, ScriptError> {
        match &mut self.script {
            Some(script) => script.response(status, &collected.headers, &collected.body),
            None => Ok(None),
        }
    }

    /// Whether the script moves due times.
    #[inline]
    pub fn has_delay(&self) -> bool {
        self.script.as_ref().is_some_and(WorkerScript::has_delay)
    }

    /// By how much the script moves the next one.
    ///
    /// # Errors
    /// [`ScriptError`] when `delay()` fails.
    pub fn delay(&mut self) -> Result<Nanos, ScriptError> {
        self.script
            .as_mut()
            .map_or(Ok(Nanos::ZERO), WorkerScript::delay)
    }

    /// The address that the script chose for its thread.
    pub fn address(&self) -> Option<SocketAddr> {
        self.script.as_ref().and_then(WorkerScript::addr)
    }

    /// Whether the script has stopped its thread.
    pub fn stopped(&self) -> bool {
        self.script.as_ref().is_some_and(WorkerScript::stopped)
    }

    /// The script's state, for questions from `done`.
    pub fn into_script(self) -> Option<WorkerScript> {
        self.script
    }
}
