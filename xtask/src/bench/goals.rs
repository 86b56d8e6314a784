//! Floors and aims. What names a figure here names it where it is measured, too.

use super::work::KINDS;

/// What is to be had.
pub struct Goal {
    /// The figure's name.
    pub name: &'static str,
    /// Below this it is missed. Where less is better, the floor is above the aim, or equal to it.
    pub floor: f64,
    /// As good as can be hoped for.
    pub aim: f64,
    /// Which way is better.
    pub better: Better,
}

/// Which way is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Better {
    /// More.
    More,
    /// Less.
    Less,
}

/// Figures of one thread.
pub const ALONE: [&str; 5] = [
    "kernel alone, five hosts pinging",
    "five replicas, faults, all checkers",
    "idle, five replicas",
    "idle, five replicas, all checkers",
    "copy of a run at 1000 operations",
];

/// Figures of whole sweeps.
pub const MIX: [&str; 12] = [
    "seeds of the mix",
    "runs with 300 operations and a fault",
    "operations of a run",
    "messages of a run",
    "faults of a run",
    "leader changes of a run",
    "runs with a leader change",
    "messages of the mix",
    "simulated time of the mix",
    "accounted memory of a run",
    "two workers against one",
    KINDS,
];

const fn more(name: &'static str, floor: f64, aim: f64) -> Goal {
    Goal {
        name,
        floor,
        aim,
        better: Better::More,
    }
}

const fn less(name: &'static str, floor: f64, aim: f64) -> Goal {
    Goal {
        name,
        floor,
        aim,
        better: Better::Less,
    }
}

const GOALS: [Goal; 20] = [
    more(ALONE[0], 6e6, 10e6),
    more(ALONE[1], 0.7e6, 1.5e6),
    more(ALONE[2], 10_000.0, 25_000.0),
    less(ALONE[4], 500.0, 200.0),
    more(MIX[0], 3_000.0, 6_000.0),
    more(MIX[3], 10_000.0, 10_000.0),
    more(MIX[6], 50.0, 50.0),
    less(MIX[9], 16e6, 4e6),
    more(MIX[10], 1.8, 1.95),
    more(KINDS, 26.0, 26.0),
    less("etcd logs", 50.0, 50.0),
    less("key-value logs", 10.0, 10.0),
    less("1 M operations, 5 clients, witnesses", 300.0, 300.0),
    less("1 M operations, 5 clients, zones", 500.0, 500.0),
    less("1 M operations, 5 clients, search", 2_000.0, 2_000.0),
    less("1 M operations, 5 clients, search: memory", 150e6, 150e6),
    less("1 M operations, 5 clients, few values", 2_000.0, 2_000.0),
    less(
        "1 M operations, 5 clients, few values: memory",
        150e6,
        150e6,
    ),
    less("30 k operations, 15 clients", 2_000.0, 2_000.0),
    less("10 k operations, 100 unknown writes", 200.0, 200.0),
];

/// The goal of a figure; none where there is none.
pub fn of(name: &str) -> Option<&'static Goal> {
    GOALS.iter().find(|goal| goal.name == name)
}

/// How a figure stands to its goal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// As good as can be hoped for.
    Aim,
    /// The floor is reached.
    Met,
    /// It is not.
    Missed,
}

impl Goal {
    /// Where this value stands.
    pub fn judge(&self, value: f64) -> Standing {
        let reaches = |mark: f64| match self.better {
            Better::More => value >= mark,
            Better::Less => value <= mark,
        };
        if reaches(self.aim) {
            Standing::Aim
        } else if reaches(self.floor) {
            Standing::Met
        } else {
            Standing::Missed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_and_aims_are_judged_either_way_round() {
        let judge = |name: &str, value: f64| of(name).expect("it has a goal").judge(value);
        assert_eq!(judge("seeds of the mix", 2_999.0), Standing::Missed);
        assert_eq!(judge("seeds of the mix", 3_000.0), Standing::Met);
        assert_eq!(judge("accounted memory of a run", 17e6), Standing::Missed);
        assert_eq!(judge("accounted memory of a run", 3e6), Standing::Aim);
        assert!(of("something else").is_none());
    }
}
