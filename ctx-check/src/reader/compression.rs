//! Decompression: gzip with several members, and Zstandard with several frames.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{
    StreamingDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];
pub(super) const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Returns the decompressed content of a stream, or the stream itself if it is not compressed.
pub(super) fn decompressed<'a>(mut stream: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let start = stream.fill_buf()?;
    Ok(if start.starts_with(&GZIP) {
        Box::new(MultiGzDecoder::new(stream))
    } else if start.starts_with(&ZSTD) {
        Box::new(ZstdFrames { stream: Some(stream), decoder: None })
    } else {
        Box::new(stream)
    })
}

/// The frames of a stream, one after the other.
struct ZstdFrames<R: Read> {
    stream: Option<R>,
    decoder: Option<Box<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>>,
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                let read = decoder.read(into)?;
                if read > 0 || into.is_empty() {
                    return Ok(read);
                }
                self.stream = self.decoder.take().map(|decoder| decoder.into_inner());
            }
            let Some(mut stream) = self.stream.take() else { return Ok(0) };
            if stream.fill_buf()?.is_empty() {
                return Ok(0);
            }
            // A frame to be skipped is one that other programs put their own data into.
            if skip_frame(&mut stream)? {
                self.stream = Some(stream);
                continue;
            }
            let decoder = StreamingDecoder::new(stream).map_err(|error| match error {
                FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::MagicNumberReadError(error)) => error,
                error => io::Error::new(io::ErrorKind::InvalidData, format!("found no frame of Zstandard: {error}")),
            })?;
            self.decoder = Some(Box::new(decoder));
        }
    }
}

/// Skips a skippable frame (RFC 8878, section 3.1.2), if there is one.
fn skip_frame(stream: &mut impl BufRead) -> io::Result<bool> {
    let start = stream.fill_buf()?;
    if start.len() < 8 || start[0] & 0xf0 != 0x50 || start[1..4] != [0x2a, 0x4d, 0x18] {
        return Ok(false);
    }
    let length = u32::from_le_bytes([start[4], start[5], start[6], start[7]]);
    io::copy(&mut stream.take(u64::from(length) + 8), &mut io::sink())?;
    Ok(true)
}
