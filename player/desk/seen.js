// The screens' pictures: fetched as soon as there are new ones, shown by every <img data-seen="n">.
const LEAST_MS = 50; // from one question to the next
const AGAIN_MS = 1000; // after a question that had no answer
const newest = {};

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

async function fetchNew(after) {
  const answer = await fetch(`/seen?after=${after}`);
  const { change, screens } = await answer.json();
  for (const [number, jpeg] of Object.entries(screens)) newest[number] = `data:image/jpeg;base64,${jpeg}`;
  return change;
}

// Ends when they can be seen. An image may be younger than the picture that it is to show.
function showNewest() {
  const stale = [...document.querySelectorAll('img[data-seen]')].filter(
    (image) => image.dataset.seen in newest && image.src !== newest[image.dataset.seen],
  );
  return Promise.all(
    stale.map((image) => {
      image.src = newest[image.dataset.seen];
      return image.decode().catch(() => {}); // it is shown no more
    }),
  );
}

async function followScreens() {
  for (let after = 0; ; ) {
    const began = performance.now();
    try {
      after = await fetchNew(after);
      await showNewest();
    } catch {
      await pause(AGAIN_MS);
    }
    await pause(LEAST_MS - (performance.now() - began));
  }
}

followScreens();
