//! The kernels that a run spends its time in, few and fast: `cargo bench --package xtask`. To see
//! where a figure of `cargo xtask bench` goes, not instead of it.
//!
//! The digest and the sending of messages are private to the world; the ping is both, and the
//! agenda.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use synod_engine::codec::message::{decode, encode};
use synod_engine::command::Value;
use synod_engine::ids::{Ballot, ClusterId, Incarnation, NodeId, Slot};
use synod_engine::message::Message;
use synod_port::files::{DiskOp, FileName};
use synod_sim::check::linearizability::budget::Budget;
use synod_sim::check::linearizability::check::check;
use synod_sim::check::linearizability::generate::{Shape, generate};
use synod_sim::choices::{FaultAt, Seeded};
use synod_sim::time::Instant;
use synod_sim::world::agenda::Agenda;
use synod_sim::world::disk::{Disk, Fate};
use synod_sim::world::pinging::ping;

/// What ships allocates with this one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn agenda(criterion: &mut Criterion) {
    let mut agenda = Agenda::default();
    let mut word = 1_u64;
    let mut next = move || {
        word = word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        word >> 40
    };
    for _ in 0..1_000 {
        agenda.push(Instant(next()), [0_u64; 6]);
    }
    criterion.bench_function("agenda: one out and one in, of 1,000", |bencher| {
        bencher.iter(|| {
            let (at, entry) = agenda.pop().expect("one goes in for each that comes out");
            agenda.push(Instant(at.0 + next()), entry);
        });
    });
}

fn network(criterion: &mut Criterion) {
    criterion.bench_function(
        "network: 1,000 pings, with the agenda and the digest",
        |bencher| bencher.iter(|| black_box(ping(1, 1_000))),
    );
}

fn disk(criterion: &mut Criterion) {
    let name = FileName::new("log").expect("a short name");
    let disk = Disk::formatted(&[(name, vec![0; 1 << 16])], 1 << 20);
    let mut choices = Seeded::new(1);
    criterion.bench_function("disk: a write of 512 bytes and its sync", |bencher| {
        bencher.iter_batched_ref(
            || disk.clone(),
            |disk| {
                for op in [
                    DiskOp::Write {
                        file: name,
                        offset: 4096,
                        data: vec![7; 512].into(),
                    },
                    DiskOp::Sync(name),
                ] {
                    let ticket = disk.submit(op);
                    black_box(disk.complete(ticket, Fate::Ok, &mut choices, FaultAt::nobody(0)));
                }
            },
            BatchSize::SmallInput,
        );
    });
}

fn codec(criterion: &mut Criterion) {
    let ballot = Ballot {
        round: 7,
        node: NodeId(2),
    };
    let message = Message::Accept {
        ballot,
        slot: Slot(1_000),
        value: Value(vec![7; 200].into()),
        chosen_below: Slot(990),
    };
    let mut buffer = Vec::new();
    criterion.bench_function("codec: an accept of 200 bytes there and back", |bencher| {
        bencher.iter(|| {
            let bytes = encode(
                &mut buffer,
                ClusterId(1),
                NodeId(2),
                Incarnation(3),
                black_box(&message),
            );
            black_box(decode(&bytes).expect("it was just made"))
        });
    });
}

fn checkers(criterion: &mut Criterion) {
    for (name, shape) in [
        (
            "witness",
            Shape {
                places: true,
                ..Shape::new(1_000, 5)
            },
        ),
        ("zones", Shape::new(1_000, 5)),
        (
            "search",
            Shape {
                values: Some(10),
                ..Shape::new(1_000, 5)
            },
        ),
    ] {
        let history = generate(shape);
        criterion.bench_function(
            &format!("linearizability: 1,000 operations by {name}"),
            |bencher| {
                bencher.iter(|| black_box(check(&history, Budget::default())));
            },
        );
    }
}

criterion_group! {
    name = kernels;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .without_plots();
    targets = agenda, network, disk, codec, checkers
}
criterion_main!(kernels);
