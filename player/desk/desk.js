// Sliders, corners that are dragged, and keys that would else scroll the page.
let sliderInHand = null;

// By its value and not by a property of the page: that is set anew whenever anything on it changes.
function placeSlider(id, place) {
  const slider = document.getElementById(id);
  if (slider && slider !== sliderInHand) slider.value = place;
}

document.addEventListener('pointerdown', (event) => {
  sliderInHand = event.target.closest?.('input[type=range]') ?? null;
});
['pointerup', 'pointercancel'].forEach((end) => document.addEventListener(end, () => {
  sliderInHand = null;
}));

const HELD_MS = 1500; // for so long a corner is the hand's: what the player says may be older
let lastSent = 0;
let inHand = null;

// What the player says of the corners, top left first.
function placeCorners(corners) {
  document.querySelectorAll('.handle').forEach((handle, place) => {
    handle.told = corners[place];
    follow(handle);
  });
}

function follow(handle) {
  clearTimeout(handle.waits);
  const held = handle === inHand ? HELD_MS : (handle.movedAt ?? -HELD_MS) + HELD_MS - performance.now();
  if (held > 0) handle.waits = setTimeout(() => follow(handle), held);
  else [handle.style.left, handle.style.top] = handle.told.map((share) => `${share * 100}%`);
}

function placed(event, stage) {
  const box = stage.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

function move(handle, x, y, must) {
  [x, y] = [x, y].map((value) => Math.min(Math.max(value, -0.5), 1.5));
  handle.style.left = `${x * 100}%`;
  handle.style.top = `${y * 100}%`;
  handle.movedAt = performance.now();
  if (!must && performance.now() - lastSent < 40) return;
  lastSent = performance.now();
  const detail = { corner: Number(handle.dataset.corner), x, y };
  handle.closest('.stage').dispatchEvent(new CustomEvent('corner', { detail }));
}

document.addEventListener('pointerdown', (event) => {
  const handle = event.target.closest?.('.handle');
  if (!handle) {
    // Undo and the like: from here on the player is believed again
    document.querySelectorAll('.handle').forEach((other) => { other.movedAt = -HELD_MS; });
    return;
  }
  event.preventDefault();
  handle.focus();
  handle.setPointerCapture(event.pointerId);
  inHand = handle;
  const stage = handle.closest('.stage');
  const drag = (moved) => move(handle, ...placed(moved, stage), false);
  handle.addEventListener('pointermove', drag);
  const letGo = () => {
    handle.removeEventListener('pointermove', drag);
    inHand = null;
  };
  handle.addEventListener('lostpointercapture', letGo, { once: true });
  handle.addEventListener('pointerup', (last) => move(handle, ...placed(last, stage), true), { once: true });
});

document.addEventListener('keydown', (event) => {
  const handle = event.target.closest?.('.handle');
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (handle && step) {
    event.preventDefault();
    const by = event.shiftKey ? 0.01 : 0.001;
    const at = [handle.style.left, handle.style.top].map((value) => parseFloat(value) / 100);
    move(handle, at[0] + step[0] * by, at[1] + step[1] * by, true);
    return;
  }
  if (['INPUT', 'TEXTAREA', 'SELECT', 'SUMMARY'].includes(document.activeElement.tagName)) return;
  if (event.key.startsWith('Arrow') || event.key === ' ') event.preventDefault();
});
