//! The engine, and what ties it to the simulator. Here it is a store on a single replica. Put your own
//! in its place, and raise `replicas` in the scenarios: then every majority must be able to go on.

use synod_sim::prelude::*;

/// The subject. What else it may be asked, and what for, is said at [`Subject`].
pub struct Engine;

/// A bug of your own to plant: `bugs list`, `sweep --bug` and `hunt` know it.
const ANSWERS_BEFORE_SAVING: Card = Card {
    name: "answers-before-saving",
    component: "storage",
    class: "durability-loss",
    difficulty: "easy",
    behaviour: "An answer is sent before what it acknowledges is on the disk.",
    source: "the template",
};

impl Subject for Engine {
    fn name(&self) -> &'static str {
        "NAME"
    }

    fn format(&self, _: &Setup, _: Node) -> Vec<(FileName, Vec<u8>)> {
        vec![Cell::format(&State::default().bytes())]
    }

    fn make(&self, setup: &Setup, _: Node) -> Box<dyn Process> {
        Box::new(Replica {
            hasty: setup.bug.as_deref() == Some(ANSWERS_BEFORE_SAVING.name),
            ..Replica::default()
        })
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Plain::WITHOUT_SESSIONS
    }

    fn bugs(&self) -> Vec<Card> {
        vec![ANSWERS_BEFORE_SAVING]
    }

    /// With elections, leave this out and say in `leads` which messages show who leads.
    fn has_leader(&self) -> bool {
        false
    }
}

/// What must survive.
#[derive(Clone, Default)]
struct State {
    store: KeyValue,
    answered: Answered,
}

impl State {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.store.write(&mut bytes);
        self.answered.write(&mut bytes);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (store, rest) = KeyValue::read(bytes)?;
        let (answered, _) = Answered::read(rest)?;
        Some(Self { store, answered })
    }
}

/// A replica, from its boot on. It never blocks, and knows nothing but what it is told.
#[derive(Clone, Default)]
struct Replica {
    state: State,
    cell: Cell,
    ready: bool,
    /// Answers that rest on what is being saved, and those that rest on what is saved next.
    covered: Vec<Output>,
    waiting: Vec<Output>,
    /// The planted bug, and how often it changed something.
    hasty: bool,
    triggered: u64,
}

impl Replica {
    fn on_request(&mut self, to: Client, request: Request, out: &mut Vec<Output>) {
        let Request::Call(session, sequence, answered_below, call) = request else {
            return;
        };
        if !self.ready {
            // With others to ask: the one that leads, if this one knows.
            let answer = Answer::refused(session, sequence, Refusal::Retry(None));
            return out.push(dialect::reply(to, &answer));
        }
        // A client that hears nothing sends its request again: it is done once.
        let who = u64::from(to.0);
        let result = match self.state.answered.before(who, sequence, answered_below) {
            Before::Past => return,
            Before::Done(result) => result,
            Before::New => self.state.store.apply(&call),
        };
        self.state.answered.done(who, sequence, result.clone());
        let answer = dialect::reply(to, &Answer::done(session, sequence, result));
        if self.hasty {
            self.triggered += 1;
            out.push(answer.clone());
        }
        self.waiting.push(answer);
    }
}

impl Process for Replica {
    fn step(&mut self, _: Now, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Boot { .. } => self.cell.boot(),
            Input::Request { from, bytes } => {
                // Damaged bytes are nobody's request.
                if let Some(request) = dialect::request(bytes) {
                    self.on_request(from, request, out);
                }
            }
            Input::Disk { result, .. } => match self.cell.on_disk(result) {
                Told::Nothing => {}
                Told::Read(bytes) => self.state = State::read(&bytes).expect("it is intact"),
                Told::Saved => {
                    out.append(&mut self.covered);
                    if !std::mem::replace(&mut self.ready, true) {
                        out.push(Output::Ready);
                    }
                }
                Told::Halt(halt) => out.push(halt),
            },
            // There is nobody to talk to, and nothing to wait for.
            _ => {}
        }
        if self.ready && self.cell.is_idle() && !self.waiting.is_empty() {
            self.covered = std::mem::take(&mut self.waiting);
            self.cell.save(self.state.bytes());
        }
        self.cell.pump(out);
    }

    fn deadline(&self) -> Option<u64> {
        None
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        Some(Box::new(self.clone()))
    }

    fn bug(&self) -> (u64, u64) {
        (self.triggered, self.triggered)
    }
}
