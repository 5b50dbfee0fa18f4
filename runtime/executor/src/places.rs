//! Places for guests, shared fairly: packs that wait take turns, and within a pack those who came first go first. So many
//! attempts of one pack do not keep another pack waiting for longer than it takes each pack to have one turn.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use runner_model::PackRef;
use tokio::sync::oneshot;

/// As many places as there may be guests.
#[derive(Clone)]
pub(crate) struct Places {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    free: usize,
    waiting: HashMap<PackRef, VecDeque<oneshot::Sender<Seat>>>,
    /// The packs that wait, the one whose turn is next first.
    turns: VecDeque<PackRef>,
}

/// A place; dropped, it goes to whose turn it is.
pub(crate) struct Seat(Option<Places>);

impl Places {
    pub(crate) fn new(places: usize) -> Self {
        Self { inner: Arc::new(Mutex::new(Inner { free: places, waiting: HashMap::new(), turns: VecDeque::new() })) }
    }

    /// Waits for a place. Who stops waiting has no turn any more.
    pub(crate) async fn take(&self, pack: &PackRef) -> Seat {
        loop {
            let turn = {
                let mut inner = self.inner.lock();
                if inner.free > 0 {
                    inner.free -= 1;
                    return Seat(Some(self.clone()));
                }
                inner.stand_in_line(pack)
            };
            if let Ok(seat) = turn.await {
                return seat;
            }
        }
    }

    fn give_back(&self) {
        let mut inner = self.inner.lock();
        while let Some(next) = inner.next() {
            match next.send(Seat(Some(self.clone()))) {
                Ok(()) => return,
                // It has stopped waiting; its seat is not to come back here.
                Err(mut seat) => seat.0 = None,
            }
        }
        inner.free += 1;
    }
}

impl Inner {
    fn stand_in_line(&mut self, pack: &PackRef) -> oneshot::Receiver<Seat> {
        let (sender, turn) = oneshot::channel();
        let queue = self.waiting.entry(pack.clone()).or_default();
        // Those who have gone are not kept.
        queue.retain(|waiter| !waiter.is_closed());
        queue.push_back(sender);
        if !self.turns.contains(pack) {
            self.turns.push_back(pack.clone());
        }
        turn
    }

    fn next(&mut self) -> Option<oneshot::Sender<Seat>> {
        let pack = self.turns.pop_front()?;
        let queue = self.waiting.get_mut(&pack)?;
        let next = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&pack);
        } else {
            self.turns.push_back(pack);
        }
        next
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(places) = self.0.take() {
            places.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use std::pin::Pin;

    use super::*;

    type Turn = Pin<Box<dyn Future<Output = Seat> + Send>>;

    fn wait(places: &Places, pack: &str) -> Turn {
        let (places, pack) = (places.clone(), PackRef::new(pack).unwrap());
        let mut turn: Turn = Box::pin(async move { places.take(&pack).await });
        assert!((&mut turn).now_or_never().is_none(), "all places are taken");
        turn
    }

    #[test]
    fn packs_take_turns_whatever_one_of_them_asks_for() {
        let places = Places::new(1);
        let first = places.take(&PackRef::new("many").unwrap()).now_or_never().unwrap();
        let mut waiting: Vec<(String, Turn)> = Vec::new();
        for number in 0..100 {
            waiting.push((format!("many {number}"), wait(&places, "many")));
        }
        for number in 0..3 {
            waiting.push((format!("few {number}"), wait(&places, "few")));
        }
        let mut seat = Some(first);
        let mut order = Vec::new();
        while order.len() < 8 {
            drop(seat.take());
            let mut went = None;
            for (place, (name, turn)) in waiting.iter_mut().enumerate() {
                if let Some(next) = turn.now_or_never() {
                    assert!(seat.replace(next).is_none(), "one place, one guest");
                    went = Some((place, name.clone()));
                }
            }
            let (place, name) = went.unwrap();
            drop(waiting.remove(place));
            order.push(name);
        }
        assert_eq!(order, ["many 0", "few 0", "many 1", "few 1", "many 2", "few 2", "many 3", "many 4"]);
    }

    #[test]
    fn a_place_is_not_lost_with_those_who_stop_waiting() {
        let places = Places::new(2);
        let pack = PackRef::new("p").unwrap();
        let seats = [places.take(&pack).now_or_never().unwrap(), places.take(&pack).now_or_never().unwrap()];
        let (gone, told, stays) = (wait(&places, "p"), wait(&places, "q"), wait(&places, "p"));
        drop(gone);
        drop(seats);
        // This one had its place given, and goes without having looked.
        drop(told);
        drop(stays);
        let again = [places.take(&pack).now_or_never(), places.take(&pack).now_or_never()];
        assert!(again.iter().all(Option::is_some));
        assert!(places.take(&pack).now_or_never().is_none());
    }
}
