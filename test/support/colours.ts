// Colours as a browser shows them, and the contrast between them (WCAG 2.2, 1.4.3).
import type { Locator } from 'playwright-core';

type Colour = [red: number, green: number, blue: number];

/** The colour of an element's text, and the nearest background behind it that is not transparent. */
export async function coloursOf(locator: Locator): Promise<{ ink: Colour; paper: Colour }> {
  // Made from text, because this project knows no types of the DOM.
  const read = new Function(
    'element',
    `let behind = element;
    const background = () => getComputedStyle(behind).backgroundColor;
    while (behind.parentElement && /^rgba\\(.*, 0\\)$|transparent/.test(background())) behind = behind.parentElement;
    return [getComputedStyle(element).color, background()];`,
  ) as () => [string, string];
  const [ink, paper] = await locator.evaluate(read);
  const parse = (text: string) =>
    text
      .match(/[\d.]+/g)!
      .slice(0, 3)
      .map(Number) as Colour;
  return { ink: parse(ink), paper: parse(paper) };
}

export function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

export function contrast(one: Colour, other: Colour): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light! + 0.05) / (dark! + 0.05);
}
