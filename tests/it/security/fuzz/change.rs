//! Makes other inputs of those that are there: the same ones each time.

/// What parsers trip over.
const PIECES: [&[u8]; 24] = [
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\n---\n",
    b"<%",
    b"%>",
    b"{",
    b"}",
    b"[",
    b"[[[[[[[[[[[[[[[[",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!",
    b"'",
    b"\"",
    b"\\u0000",
    b"-1",
    b"99999999999999999999",
    b"1e999",
    b"../",
    b"%00",
    "\u{202e}\u{1f600}".as_bytes(),
];

/// No input grows beyond.
const BYTES_MAX: usize = 16 * 1024;

/// See the module.
pub(super) struct Changes<'a> {
    inputs: &'a [Vec<u8>],
    state: u64,
}

impl<'a> Changes<'a> {
    pub(super) fn of(inputs: &'a [Vec<u8>]) -> Self {
        Self { inputs, state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// xorshift64*.
    fn draw(&mut self, below: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let drawn = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).unwrap() % below.max(1)
    }

    /// The next input: one of those that are there, changed one to four times.
    pub(super) fn next(&mut self) -> Vec<u8> {
        let at = self.draw(self.inputs.len());
        let mut input = self.inputs[at].clone();
        for _ in 0..=self.draw(4) {
            self.change(&mut input);
        }
        input.truncate(BYTES_MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.draw(input.len() + 1);
        let to = at + self.draw((input.len() - at).min(64) + 1);
        match self.draw(7) {
            0 if at < input.len() => input[at] ^= 1 << self.draw(8),
            1 => drop(input.drain(at..to)),
            2 => {
                let piece = PIECES[self.draw(PIECES.len())];
                input.splice(at..at, piece.iter().copied());
            }
            3 => {
                let part = input[at..to].to_vec();
                for _ in 0..=self.draw(6) {
                    input.splice(at..at, part.iter().copied());
                }
            }
            4 => {
                let other = &self.inputs[self.draw(self.inputs.len())];
                let from = self.draw(other.len() + 1);
                let part =
                    self.inputs.iter().find(|one| one.len() > from).map_or(Vec::new(), |one| one[from..].to_vec());
                input.splice(at..to, part);
            }
            5 => input.truncate(at),
            _ if at < input.len() => input[at] = u8::try_from(self.draw(256)).unwrap(),
            _ => {}
        }
    }
}
