// Rust's crates `generator` and `stacker` as baselines: reads a line "operation count" and answers with nanoseconds and
// how often it was done.

use std::arch::asm;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use generator::{done, Gn};

// What a recursive function asks for, and what it gets where that much is not left: as stacker's documentation has it.
const RED_ZONE: usize = 32 << 10;
const SEGMENT: usize = 1 << 20;
// Recursions of that many calls are repeated, so that all fit in place.
const LEVELS: u64 = 64;

// What the compiler can neither foresee nor leave out; `black_box` came later than the Rust that Debian has.
#[inline(always)]
fn opaque(mut value: u64) -> u64 {
    unsafe { asm!("/* {0} */", inout(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

fn now_and_then(perform: impl FnOnce() -> u64) -> (u128, u64) {
    let began = Instant::now();
    let done = perform();
    (began.elapsed().as_nanos(), done)
}

// A generator is resumed with a word and yields one.
fn round_trips(count: u64) -> (u128, u64) {
    let mut other = Gn::<u64>::new_scoped(|mut scope| {
        let mut turns = 0;
        while scope.yield_(turns) != Some(0) {
            turns += 1;
        }
        done!()
    });
    other.resume();
    let mut last = 0;
    let (took, _) = now_and_then(|| {
        for i in 0..count {
            last = other.send(i + 1);
        }
        count
    });
    other.set_para(0);
    other.resume();
    (took, last)
}

// A generator is made, runs to its end and is dropped.
fn spawn(count: u64) -> (u128, u64) {
    now_and_then(|| {
        (0..count)
            .map(|_| Gn::<()>::new_scoped(|_| 1u64).resume().unwrap_or(0))
            .sum()
    })
}

// A loop takes the elements of one generator.
fn elements(count: u64) -> (u128, u64) {
    let elements = Gn::<()>::new_scoped(move |mut scope| {
        for i in 0..count {
            scope.yield_(i);
        }
        done!()
    });
    now_and_then(|| {
        let (mut sum, mut taken) = (0u64, 0);
        for element in elements {
            sum = sum.wrapping_add(element);
            taken += 1;
        }
        opaque(sum);
        taken
    })
}

#[inline(never)]
fn asking(levels: u64) -> u64 {
    stacker::maybe_grow(RED_ZONE, SEGMENT, || {
        if levels == 0 {
            0
        } else {
            1 + opaque(asking(levels - 1))
        }
    })
}

#[inline(never)]
fn plain(levels: u64) -> u64 {
    if levels == 0 {
        0
    } else {
        1 + opaque(plain(levels - 1))
    }
}

// Recursions that together make `count` calls.
fn repeated(count: u64, recursion: fn(u64) -> u64) -> (u128, u64) {
    now_and_then(|| {
        let mut done = 0;
        while done < count {
            let levels = LEVELS.min(count - done);
            done += 1 + recursion(levels - 1);
        }
        done
    })
}

// Each gets a stack of its own, because more is asked for than any thread has.
fn growing(count: u64) -> (u128, u64) {
    now_and_then(|| {
        (0..count)
            .map(|_| stacker::maybe_grow(usize::max_value() / 2, SEGMENT, || opaque(1)))
            .sum()
    })
}

// One recursion of that many levels.
fn recursion(count: u64) -> (u128, u64) {
    now_and_then(|| if count == 0 { 0 } else { 1 + asking(count - 1) })
}

fn answer(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words == ["version"] {
        return env!("PEER_VERSION").to_string();
    }
    let count = words.get(1).and_then(|word| word.parse::<u64>().ok());
    let (took, done) = match (words.first(), count) {
        (Some(&"round-trip"), Some(count)) => round_trips(count),
        (Some(&"spawn"), Some(count)) => spawn(count),
        (Some(&"element"), Some(count)) => elements(count),
        (Some(&"headroom"), Some(count)) => repeated(count, asking),
        (Some(&"plain-call"), Some(count)) => repeated(count, plain),
        (Some(&"growing-call"), Some(count)) => growing(count),
        (Some(&"level"), Some(count)) => recursion(count),
        _ => return "error: a request is: version, or an operation of this program and a count".to_string(),
    };
    format!("{} {}", took, done)
}

fn main() {
    let input = io::stdin();
    for line in input.lock().lines().map_while(Result::ok) {
        let mut output = io::stdout();
        if writeln!(output, "{}", answer(&line))
            .and_then(|()| output.flush())
            .is_err()
        {
            return;
        }
    }
}
