//! Pages of a PDF: the input is the drawing of both pages of a well-formed file, and its second half also the
//! character map of their font, because random bytes are hardly ever a readable PDF.

#![no_main]

use helpbot_ingest::pdf;
use libfuzzer_sys::fuzz_target;

fn file(drawing: &[u8], map: &[u8]) -> Vec<u8> {
    let stream = |content: &[u8]| {
        let head = format!("<< /Length {} >>\nstream\n", content.len());
        [head.as_bytes(), content, b"\nendstream"].concat()
    };
    let page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 7 0 R >> >> >>";
    let objects: [Vec<u8>; 7] = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>".to_vec(),
        page.to_vec(),
        page.to_vec(),
        stream(drawing),
        stream(map),
        b"<< /Type /Font /Subtype /TrueType /BaseFont /A-Bold /ToUnicode 6 0 R >>".to_vec(),
    ];
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.extend(format!("{} 0 obj\n", at + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let table = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).bytes());
    for place in &places {
        out.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let size = places.len() + 1;
    out.extend(format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").bytes());
    out
}

fuzz_target!(|data: &[u8]| {
    let half = data.len() / 2;
    let _ = pdf::html(&file(data, &data[half..]));
});
