//! Records by trace: all records of a trace are in one partition, wherever in the input they were.
//!
//! Partitions are in memory until they need more of it than they may have; then they go to temporary files, which have no name and
//! vanish with the process. A partition that is too large to be judged at once is divided again by other bits of the ids.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
};

use foldhash::fast::FixedState;
use std::hash::BuildHasher;

use super::Record;
use crate::model::TraceId;

/// The number of partitions of a level.
const PARTITIONS: usize = 64;
/// How often a partition is divided at most: a single trace cannot be.
const DEEPEST: u32 = 3;
/// Records are written into pieces of this size, so that growing copies nothing.
const PIECE: usize = 64 << 10;

#[derive(Debug, Default)]
struct Partition {
    pieces: Vec<Vec<u8>>,
    file: Option<File>,
    bytes: usize,
}

/// Records by trace.
#[derive(Debug)]
pub(crate) struct Partitions {
    partitions: Vec<Partition>,
    level: u32,
    /// The bytes in memory, and how many there may be.
    in_memory: usize,
    limit: usize,
    spilled: usize,
}

impl Partitions {
    /// Creates partitions that use up to `limit` bytes of memory.
    pub(crate) fn new(limit: usize) -> Self {
        Self::at_level(limit, 0)
    }

    fn at_level(limit: usize, level: u32) -> Self {
        let partitions = (0..PARTITIONS).map(|_| Partition::default()).collect();
        Self { partitions, level, in_memory: 0, limit, spilled: 0 }
    }

    fn of(&self, trace: TraceId) -> usize {
        // Ids need not be random.
        (FixedState::with_seed(7).hash_one(trace.0) >> (self.level * 6)) as usize % PARTITIONS
    }

    /// Returns the bytes that went to temporary files.
    pub(crate) const fn spilled(&self) -> usize {
        self.spilled
    }

    /// Adds a record of a trace, which `write` writes.
    ///
    /// # Errors
    ///
    /// If a temporary file cannot be created or written.
    pub(crate) fn add(&mut self, trace: TraceId, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let of = self.of(trace);
        let partition = &mut self.partitions[of];
        let piece = match partition.pieces.last_mut() {
            Some(piece) if piece.len() + 512 <= PIECE => piece,
            _ => {
                self.in_memory += PIECE;
                partition.pieces.push(Vec::with_capacity(PIECE));
                match partition.pieces.last_mut() {
                    Some(piece) => piece,
                    None => return Ok(()),
                }
            }
        };
        let before = piece.len();
        write(piece);
        partition.bytes += piece.len() - before;
        if self.in_memory > self.limit { self.spill() } else { Ok(()) }
    }

    /// Writes what is in memory to the files.
    fn spill(&mut self) -> io::Result<()> {
        for partition in &mut self.partitions {
            if partition.pieces.is_empty() {
                continue;
            }
            let file = match &mut partition.file {
                Some(file) => file,
                none => none.insert(tempfile::tempfile()?),
            };
            for piece in partition.pieces.drain(..) {
                file.write_all(&piece)?;
                self.spilled += piece.len();
            }
        }
        self.in_memory = 0;
        Ok(())
    }

    /// Calls `judge` with the records of each partition. It may be called again.
    ///
    /// # Errors
    ///
    /// If a temporary file cannot be read or written.
    pub(crate) fn each(&mut self, judge: &mut impl FnMut(Vec<Record>)) -> io::Result<()> {
        (0..PARTITIONS).try_for_each(|number| self.judge(number, judge).map(|_| ()))
    }

    /// Like [`each`](Self::each), until `judge` returns `false`.
    pub(crate) fn each_until(&mut self, mut judge: impl FnMut(Vec<Record>) -> bool) -> io::Result<()> {
        let mut goes_on = true;
        for number in 0..PARTITIONS {
            self.judge(number, &mut |records| goes_on = goes_on && judge(records))?;
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// Calls `judge` with the records of the partition that has a trace.
    pub(crate) fn of_trace(&mut self, trace: TraceId, judge: &mut impl FnMut(Vec<Record>)) -> io::Result<()> {
        self.judge(self.of(trace), judge)
    }

    /// Returns the number of a trace's partition, by which traces can be grouped.
    pub(crate) fn number(&self, trace: TraceId) -> usize {
        self.of(trace)
    }

    fn judge(&mut self, number: usize, judge: &mut dyn FnMut(Vec<Record>)) -> io::Result<()> {
        let (limit, level) = (self.limit, self.level);
        let partition = &mut self.partitions[number];
        if partition.bytes == 0 {
            return Ok(());
        }
        if partition.bytes > limit && level < DEEPEST {
            let mut divided = Self::at_level(limit / 2, level + 1);
            divided.limit = limit;
            let mut result = Ok(());
            partition.for_each(&mut |record| {
                if result.is_ok() {
                    result = divided.add(record.trace_id(), |into| record.write(into));
                }
            })?;
            result?;
            return (0..PARTITIONS).try_for_each(|number| divided.judge(number, judge));
        }
        let mut records = Vec::with_capacity(partition.bytes / 77);
        partition.for_each(&mut |record| records.push(record))?;
        judge(records);
        Ok(())
    }
}

impl Partition {
    fn for_each(&mut self, take: &mut dyn FnMut(Record)) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(0))?;
            let mut buffer = Vec::new();
            loop {
                let before = buffer.len();
                buffer.resize(before + (1 << 20), 0);
                let read = file.read(&mut buffer[before..])?;
                buffer.truncate(before + read);
                let mut rest = &*buffer;
                while let Some(record) = Record::read(&mut rest) {
                    take(record);
                }
                let left = rest.len();
                let used = buffer.len() - left;
                buffer.drain(..used);
                if read == 0 {
                    break;
                }
            }
            file.seek(SeekFrom::End(0))?;
        }
        for piece in &self.pieces {
            let mut rest = &**piece;
            while let Some(record) = Record::read(&mut rest) {
                take(record);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::{model::SpanId, store::StoredSpan};

    #[test]
    fn traces_stay_whole_however_little_memory_there_is() {
        for limit in [1 << 30, 1 << 20, 10_000] {
            let mut partitions = Partitions::new(limit);
            for number in 0..20_000_u64 {
                let trace_id = TraceId(u128::from(number % 40) + 1);
                let span = StoredSpan { trace_id, span_id: SpanId(number + 1), ..StoredSpan::default() };
                partitions.add(trace_id, |into| span.write(into)).expect("there is room");
            }
            assert_eq!(partitions.spilled() > 0, limit < 1 << 30, "{limit}");
            for _ in 0..2 {
                let mut seen: HashMap<TraceId, usize> = HashMap::new();
                let mut spans = 0;
                partitions
                    .each(&mut |records| {
                        let mut here: HashMap<TraceId, usize> = HashMap::new();
                        records.iter().for_each(|record| *here.entry(record.trace_id()).or_default() += 1);
                        spans += records.len();
                        for (trace, number) in here {
                            assert_eq!(seen.insert(trace, number), None, "a trace is in two partitions");
                            assert_eq!(number, 500);
                        }
                    })
                    .expect("the files can be read");
                assert_eq!((spans, seen.len()), (20_000, 40));
            }
        }
    }
}
