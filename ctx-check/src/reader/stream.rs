//! A stream of lines, documents or messages.

use std::io::{self, BufReader, Read};

use memchr::memchr;

use super::{
    Deviation, Place, Problem, ReadLimits, Sink,
    compression::{GZIP, ZSTD, decompressed},
    document_format,
    json::Balance,
    otlp_protobuf,
};

const PIECE: usize = 1 << 20;

/// Reads a stream of any format into `sink`. `file` is the number of the file in the places.
///
/// What cannot be read goes to the sink as a problem; an error of the stream itself, too: what was read before it stays.
pub fn read(stream: impl Read, file: u16, limits: &ReadLimits, sink: &mut impl Sink) {
    let place = Place { file, line: 0 };
    let read = decompressed(BufReader::with_capacity(PIECE, stream)).and_then(|stream| {
        let mut stream = Stream { stream, buffer: Vec::new(), start: 0, is_over: false, place, limits, sink };
        stream.read()?;
        Ok(())
    });
    if let Err(error) = read {
        sink.problem(Problem { place, column: 0, what: format!("the file ends here: {error}") });
    }
}

/// Reads one message of OTLP, as a receiver gets it: JSON or Protocol Buffers.
pub fn read_message(message: &[u8], place: Place, sink: &mut impl Sink) {
    match message.first() {
        Some(b'{') => document_format::read(message, place, sink),
        _ => otlp_protobuf::read(message, place, sink),
    }
}

struct Stream<'s, R, S> {
    stream: R,
    /// The bytes that were read. Those that are not used yet start at `start`.
    buffer: Vec<u8>,
    start: usize,
    is_over: bool,
    place: Place,
    limits: &'s ReadLimits,
    sink: &'s mut S,
}

impl<R: Read, S: Sink> Stream<'_, R, S> {
    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Reads more. Returns `false` at the end.
    fn more(&mut self) -> io::Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.reserve(PIECE);
        // Without filling the room with zeros first, as `read` into a slice needs it.
        match self.stream.by_ref().take(PIECE as u64).read_to_end(&mut self.buffer) {
            Ok(read) => {
                self.is_over = read == 0;
                Ok(read > 0)
            }
            Err(error) => {
                // What came before is used; the error is reported once.
                self.is_over = true;
                self.problem(format!("the file ends here: {error}"));
                Ok(false)
            }
        }
    }

    fn at_least(&mut self, length: usize) -> io::Result<bool> {
        while self.rest().len() < length {
            if !self.more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn problem(&mut self, what: String) {
        self.sink.problem(Problem { place: self.place, column: 0, what });
    }

    fn read(&mut self) -> io::Result<()> {
        self.place.line = 1;
        self.at_least(4)?;
        if self.rest().starts_with(b"\xef\xbb\xbf") {
            self.start += 3;
            self.sink.deviation(Deviation::ByteOrderMark, self.place);
        }
        self.at_least(16)?;
        // A length of less than 16 MiB in four bytes, most significant first, starts with 0.
        if self.is_message() {
            self.bare()
        } else if self.rest().first() == Some(&0) || self.is_prefixed() {
            self.prefixed()
        } else {
            self.lines()
        }
    }

    /// Returns `true` for a message of OTLP. Its first byte, the tag of field 1, is also a line feed: the tags inside tell.
    fn is_message(&self) -> bool {
        let mut rest = self.rest();
        let mut next = |tags: &[u8]| {
            let Some((tag, after)) = rest.split_first() else { return false };
            let length = after.iter().take(5).take_while(|byte| **byte & 0x80 != 0).count() + 1;
            rest = after.get(length..).unwrap_or_default();
            tags.contains(tag)
        };
        next(b"\n") && next(b"\n\x12\x1a") && (next(b"\n\x10\x12\x1a") || self.rest().len() < 8)
    }

    /// Returns `true` for a length of four bytes in front of a message of its kind.
    fn is_prefixed(&self) -> bool {
        let rest = self.rest();
        rest.len() > 8
            && (rest[4..].starts_with(&ZSTD) || rest[4] == b'\n')
            && u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize <= self.limits.document
            && !rest[..4].iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
    }

    /// Messages with their length in four bytes before them, as the Collector's file exporter writes Protocol Buffers, and
    /// compressed messages of either format.
    fn prefixed(&mut self) -> io::Result<()> {
        self.place.line = 0;
        loop {
            self.place.line = self.place.line.saturating_add(1);
            if !self.at_least(4)? {
                if !self.rest().is_empty() {
                    self.problem(format!(
                        "found {} bytes at the end, expected the length of a message: the file was cut",
                        self.rest().len()
                    ));
                }
                return Ok(());
            }
            let rest = self.rest();
            let length = u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
            if length > self.limits.document {
                self.problem(format!("found a message of {length} bytes, and the limit is {}", self.limits.document));
                return Ok(());
            }
            self.start += 4;
            let is_whole = self.at_least(length)?;
            let length = length.min(self.rest().len());
            let message = &self.buffer[self.start..self.start + length];
            if !is_whole {
                let what = "the last message is cut: what is whole in it is read".to_owned();
                self.sink.problem(Problem { place: self.place, column: 0, what });
            }
            if message.starts_with(&ZSTD) || message.starts_with(&GZIP) {
                let mut plain = Vec::new();
                let limit = self.limits.document as u64;
                match decompressed(message).and_then(|stream| stream.take(limit).read_to_end(&mut plain)) {
                    Ok(_) => {}
                    Err(error) => {
                        self.sink.problem(Problem {
                            place: self.place,
                            column: 0,
                            what: format!("the message ends early: {error}"),
                        });
                    }
                }
                read_message(&plain, self.place, self.sink);
            } else {
                read_message(message, self.place, self.sink);
            }
            self.start += length;
        }
    }

    /// A message that is the whole file. Each of its `Resource...` is read alone, so that the file may be of any size.
    fn bare(&mut self) -> io::Result<()> {
        self.place.line = 0;
        loop {
            self.place.line = self.place.line.saturating_add(1);
            self.at_least(11)?;
            let rest = self.rest();
            let Some(tag) = rest.first() else { return Ok(()) };
            if *tag != b'\n' {
                self.problem(format!("found the byte {tag:#04x}, expected field 1 of a message of OTLP"));
                return Ok(());
            }
            let (mut length, mut used) = (0_usize, 1);
            for byte in &rest[1..rest.len().min(6)] {
                length |= usize::from(byte & 0x7f) << (7 * (used - 1));
                used += 1;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            if length > self.limits.document {
                self.problem(format!("found a message of {length} bytes, and the limit is {}", self.limits.document));
                return Ok(());
            }
            self.start += used.min(rest.len());
            if !self.at_least(length)? {
                self.problem("the message is cut: what is whole in it is read".to_owned());
            }
            let length = length.min(self.rest().len());
            otlp_protobuf::read_resource(&self.buffer[self.start..self.start + length], self.place, self.sink);
            self.start += length;
        }
    }

    /// Documents, each on a line of its own; or written over several lines, if the first one is.
    fn lines(&mut self) -> io::Result<()> {
        let mut is_first = true;
        loop {
            // Blank lines and blanks are skipped.
            while let Some(byte) = self.rest().first().copied() {
                match byte {
                    b'\n' => self.place.line = self.place.line.saturating_add(1),
                    b' ' | b'\t' | b'\r' => {}
                    _ => break,
                }
                self.start += 1;
            }
            if self.rest().is_empty() {
                if !self.more()? {
                    return Ok(());
                }
                continue;
            }
            let Some(mut length) = self.line()? else { continue };
            let line = &self.rest()[..length];
            let is_open = match line.trim_ascii_end().last() {
                Some(b'}' | b']') => is_first && Balance::default().feed(line).is_none(),
                _ => matches!(line.first(), Some(b'{' | b'[')),
            };
            // A line that was cut in the middle of a file of lines is one line: the next starts like a document of its own.
            let is_long = is_open && (is_first || !self.is_followed_by_document(length));
            if is_long {
                length = self.document()?;
            }
            is_first = false;
            let bytes = &self.buffer[self.start..self.start + length];
            document_format::read(bytes, self.place, self.sink);
            let lines = if is_long { memchr::memchr_iter(b'\n', bytes).count() as u32 } else { 0 };
            self.place.line = self.place.line.saturating_add(lines);
            self.start += length;
        }
    }

    fn is_followed_by_document(&self, length: usize) -> bool {
        self.rest()[length..].iter().find(|byte| !byte.is_ascii_whitespace()).is_none_or(|byte| *byte == b'{')
    }

    /// Returns the length of the line that starts here, or skips it if it is too long.
    fn line(&mut self) -> io::Result<Option<usize>> {
        let mut searched = 0;
        loop {
            if let Some(end) = memchr(b'\n', &self.rest()[searched..]) {
                return Ok(Some(searched + end));
            }
            searched = self.rest().len();
            if searched > self.limits.document {
                self.skip_line()?;
                return Ok(None);
            }
            if !self.more()? {
                return Ok(Some(searched));
            }
        }
    }

    /// Returns the length of the document that starts here and goes over several lines.
    fn document(&mut self) -> io::Result<usize> {
        let mut balance = Balance::default();
        let mut searched = 0;
        loop {
            if let Some(end) = balance.feed(&self.rest()[searched..]) {
                return Ok(searched + end);
            }
            searched = self.rest().len();
            if searched > self.limits.document {
                self.problem(format!(
                    "found a document of more than {} bytes, which is the limit: write it in lines, as `jq -c` does",
                    self.limits.document
                ));
                self.start = self.buffer.len();
                while self.more()? {
                    self.start = self.buffer.len();
                }
                return Ok(0);
            }
            if !self.more()? {
                return Ok(searched);
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        self.problem(format!(
            "found a line of more than {} bytes, which is the limit: it is skipped",
            self.limits.document
        ));
        loop {
            if let Some(end) = memchr(b'\n', self.rest()) {
                self.start += end;
                return Ok(());
            }
            self.start = self.buffer.len();
            if !self.more()? {
                return Ok(());
            }
        }
    }
}
